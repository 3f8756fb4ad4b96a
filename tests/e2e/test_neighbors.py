"""A nearest-neighbor model through the front door: uploaded, certified, smoothed, and refused."""

import io
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from algorithms.seam.questions.neighbors import Neighbors
from algorithms.threats.threat import Threat
from brinell.client import Client
from brinell.errors import BrinellError
from tests.nearest import exact_radius
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

DIGITS, LABELS = load_digits(return_X_y=True)
POINTS, ROWS = (DIGITS[:400] / 16).astype(np.float32), (DIGITS[400:420] / 16).astype(np.float32)


@pytest.fixture(scope="module")
def client(installation):
    with installation.client() as caller:
        yield caller


def saved(folder: Path, **arrays: object) -> Path:
    file = io.BytesIO()
    np.savez(file, **arrays)
    path = folder / "arrays.npz"
    path.write_bytes(file.getvalue())
    return path


def upload(client: Client, folder: Path, **arrays: object) -> dict:
    kept = {"x": POINTS.reshape(-1, 1, 8, 8), "y": LABELS[:400], "k": 1} | arrays
    return client.upload_model(saved(folder, **kept), kind="neighbors", timeout_seconds=PATIENCE_SECONDS)


def findings(client: Client, model: dict, rows: dict, method: dict, **request: object) -> list[dict]:
    asked = {"model_id": model["id"], "samples_id": rows["id"], "method": method} | request
    job = client.wait_for_job(client.create_job(asked)["id"], timeout_seconds=PATIENCE_SECONDS)
    assert job["state"] == "succeeded", job["error"]
    return list(client.findings(job["id"]))


@pytest.fixture(scope="module")
def samples(client, tmp_path_factory):
    return client.upload_samples(saved(tmp_path_factory.mktemp("rows"), x=ROWS.reshape(-1, 1, 8, 8), y=LABELS[400:420]))


def test_a_model_is_certified_exactly_and_its_card_says_what_it_is(client, samples, tmp_path):
    model = upload(client, tmp_path)
    assert (model["kind"], model["offers"], model["opset"]) == ("neighbors", ["labels", "neighbours"], None)
    assert (model["input"]["shape"], model["output"]["kind"], model["output"]["classes"]) == ([1, 8, 8], "labels", 10)
    found = findings(client, model, samples, {"name": "nearest_neighbor"})
    known = Neighbors(POINTS.astype(np.float64), LABELS[:400].astype(np.int64), 1)
    for finding, row in zip(found[:3], ROWS, strict=False):
        true = exact_radius(known, row.astype(np.float64), finding["label"], Threat().box)
        assert finding["kind"] == "lower_bound" and finding["value"] == pytest.approx(true, rel=1e-6)
        assert finding["details"]["exact"] and finding["queries"] == 1


def test_more_neighbors_and_a_metric_are_certified_too_and_votes_run_on_it(client, samples, tmp_path):
    g = np.random.default_rng(0).normal(size=(20, 64))
    model = upload(client, tmp_path, k=3, metric=g.T @ g)
    certified = findings(client, model, samples, {"name": "nearest_neighbor"})
    kinds = {finding["kind"] for finding in certified}
    assert "lower_bound" in kinds <= {"lower_bound", "misclassified"}
    voted = findings(client, model, samples, {"name": "smoothing", "sigma": 0.1, "n": 300}, samples={"limit": 4})
    assert {finding["kind"] for finding in voted} <= {"smoothed_lower_bound", "abstained", "misclassified"}
    assert {finding["queries"] for finding in voted} <= {1, 401}


@pytest.mark.parametrize(
    ("arrays", "code"),
    [
        ({"metric": -np.eye(64)}, "model_invalid"),
        ({"k": 401}, "model_invalid"),
        ({"y": LABELS[:400].astype(float)}, "unsupported_signature"),
        ({"x": POINTS.astype(str)}, "model_unparseable"),
    ],
    ids=["not positive semidefinite", "k larger than the set", "labels that are no integers", "points that are text"],
)
def test_what_is_no_model_is_refused_by_its_code(client, tmp_path, arrays, code):
    with pytest.raises(BrinellError) as refused:
        upload(client, tmp_path, **arrays)
    assert refused.value.code == code


def test_a_method_that_needs_neighbors_is_refused_on_a_model_without_and_scores_on_one_with(client, samples, tmp_path):
    network = client.upload_model(
        Path(__file__).parents[2] / "examples" / "digits" / "model.onnx", timeout_seconds=PATIENCE_SECONDS
    )
    for model, name in ((network, "nearest_neighbor"), (upload(client, tmp_path), "square")):
        with pytest.raises(BrinellError) as refused:
            client.create_job({"model_id": model["id"], "samples_id": samples["id"], "method": {"name": name}})
        assert refused.value.code == "access_too_weak"
