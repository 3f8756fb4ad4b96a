"""One number a row through the front door: read by its graph, guessed, refused, told; and judged as it is served."""

from pathlib import Path

import numpy as np
import pytest

from brinell.errors import BrinellError
from tests.patience import PATIENCE_SECONDS
from tests.unit.models.onnx.test_one_number import GUESSED, LOGITS, PROBABILITIES, REFUSED, Case, exported

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def client(installation):
    with installation.client() as caller:
        yield caller


def uploaded(client, folder: Path, case: Case, output: str | None = None) -> dict:
    file = folder / "model.onnx"
    file.write_bytes(exported(case))
    return client.upload_model(file, output=output, timeout_seconds=PATIENCE_SECONDS)


def ended(client, model: dict, samples: dict, method: str) -> tuple[dict, list[dict]]:
    threat = {"norm": "l2", "box": None}
    asked = {"model_id": model["id"], "samples_id": samples["id"], "method": {"name": method}, "threat": threat}
    job = client.wait_for_job(client.create_job(asked)["id"], timeout_seconds=PATIENCE_SECONDS)
    assert job["state"] == "succeeded", job["error"]
    return job, list(client.findings(job["id"]))


@pytest.fixture(scope="module")
def samples(client, tmp_path_factory):
    file = tmp_path_factory.mktemp("samples") / "samples.npz"
    np.savez(file, x=np.random.default_rng(5).normal(size=(3, 5)).astype(np.float32))
    return client.upload_samples(file)


@pytest.mark.parametrize(
    ("case", "as_"),
    [
        (LOGITS["linear"], "logit"),
        (PROBABILITIES["sigmoid"], "probability"),
        (PROBABILITIES["slice of two"], "probability"),
    ],
    ids=["linear", "sigmoid", "slice"],
)
def test_a_number_that_the_graph_settles_is_bracketed_at_its_threshold(client, samples, tmp_path, case, as_):
    model = uploaded(client, tmp_path, case)
    assert model["reads"] == {"output": "y", "as": as_, "because": "graph"}
    _, lower = ended(client, model, samples, "crown")
    _, upper = ended(client, model, samples, "pgd")
    for below, above in zip(lower, upper, strict=True):  # linear in the rows, up to a monotone map
        assert 0.99 * above["value"] <= below["value"] <= above["value"]


def test_a_guess_warns_and_offers_no_certificate(client, samples, tmp_path):
    model = uploaded(client, tmp_path, GUESSED)
    assert model["reads"]["because"] == "values"
    job, _ = ended(client, model, samples, "pgd")
    assert "output_guessed" in job["summary"]["warnings"]
    (withheld,) = model["withheld"]
    assert (withheld["offer"], "output=probability" in withheld["reason"]) == ("bounds", True)
    with pytest.raises(BrinellError, match="needs bounds") as refused:
        ended(client, model, samples, "crown")
    assert refused.value.code == "access_too_weak"


def test_what_nothing_settles_is_refused_until_it_is_told(client, samples, tmp_path):
    with pytest.raises(BrinellError, match="output=logit or output=decision") as refused:
        uploaded(client, tmp_path, REFUSED["tanh"])
    assert refused.value.code == "unsupported_signature"
    with pytest.raises(BrinellError, match="below 0 or above 1"):
        uploaded(client, tmp_path, REFUSED["tanh"], output="probability")
    model = uploaded(client, tmp_path, REFUSED["tanh"], output="decision")
    assert (model["output_told"], model["reads"]["as"], model["reads"]["because"]) == ("decision", "decision", "told")
    job, found = ended(client, model, samples, "pgd")
    assert job["summary"]["counts"] == {"upper_bound": len(found)}
