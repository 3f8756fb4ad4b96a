"""A job with a `prepare` stage, through the front door: the same numbers as in process, and what it cost said apart."""

import io

import httpx2
import numpy as np
import pytest

from algorithms.artifacts.decoder import Decoder
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.searches.directions.spanning import spanning_basis
from algorithms.threats.threat import Threat
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.network import read
from models.training import autoencoder
from tests.e2e.machine import DIGITS
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

BYTES = {"Content-Type": "application/octet-stream"}
SPANNING = {"name": "hopskipjump", "directions": "spanning", "initial_directions": 30}
QUERIES, CHOSEN, SEED = 300, [3, 0, 7], 11


@pytest.fixture(scope="module")
def api(installation):
    headers = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx2.Client(base_url=installation.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
def digits():
    with np.load(DIGITS / "samples.npz") as npz:
        return npz["x"].astype(np.float32), npz["y"].astype(np.int64)


def upload(api, x, **arrays):
    file = io.BytesIO()
    np.savez(file, x=x, **arrays)
    answer = api.post("/v1/samples", content=file.getvalue(), headers=BYTES)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.fixture(scope="module")
def request_body(api, digits):
    x, y = digits
    wait = {"Prefer": "wait=60"}
    model = api.post("/v1/models", content=(DIGITS / "model.onnx").read_bytes(), headers=BYTES | wait)
    assert model.status_code == 201, model.text
    return {
        "model_id": model.json()["id"],
        "samples_id": upload(api, x, y=y),
        "auxiliary_samples_id": upload(api, x[-20:]),
        "method": SPANNING,
        "budget": {"queries_per_sample": QUERIES},
        "samples": {"indices": CHOSEN},
        "seed": SEED,
    }


def test_spanning_directions_come_from_the_auxiliary_samples_and_chunks_wait_for_them(api, digits, request_body):
    job = api.post("/v1/jobs", json=request_body).json()
    where = f"/v1/jobs/{job['id']}"
    while (job := api.get(where, headers={"Prefer": "wait=30"}).json())["state"] in ("queued", "running"):
        pass
    assert job["state"] == "succeeded", job["error"]
    made = job["summary"]["prepare"]
    assert (made["queries"], made["gradients"], len(made["artifact"])) == (0, 0, 64)

    x, y = digits
    model = OnnxClassifier(read(check((DIGITS / "model.onnx").read_bytes()), None), None, "cpu")
    chosen = method("hopskipjump")
    params = chosen.params.model_validate(SPANNING)
    here = run(
        model,
        Samples(x[CHOSEN], tuple(CHOSEN), y[CHOSEN], pool=x[:1000], prepared={"basis": spanning_basis(x[-20:])}),
        chosen,
        params,
        Threat(norm=Norm.L2),
        Budget(QUERIES),
        seed=SEED,
    )
    found = api.get(f"{where}/findings").json()["items"]
    assert [(f["index"], f["value"], f["queries"]) for f in found] == [
        (o.finding.index, o.finding.value, o.finding.queries) for o in here
    ]
    points = np.load(io.BytesIO(api.get(f"{where}/adversarials").content))
    np.testing.assert_array_equal(points["x"], np.stack([o.x_adv for o in here if o.x_adv is not None]))


def test_a_decoder_is_trained_on_the_auxiliary_samples_and_searched_through(api, digits, request_body):
    """With the very bits that training and searching in this process come to, in however many units it was."""
    x, y = digits
    asked = {"method": {"name": "autozoom", "directions": "decoder"}, "seed": SEED}
    job = api.post("/v1/jobs", json=request_body | asked).json()
    where = f"/v1/jobs/{job['id']}"
    while (job := api.get(where, headers={"Prefer": "wait=5"}).json())["state"] in ("queued", "running"):
        pass
    assert job["state"] == "succeeded", job["error"]
    made = autoencoder.train(x[-20:], Decoder().layers(x.shape[1:]), {}, SEED, lambda _: False)
    assert job["summary"]["prepare"]["details"] == made.told
    model = OnnxClassifier(read(check((DIGITS / "model.onnx").read_bytes()), None), None, "cpu")
    chosen = method("autozoom")
    here = run(
        model,
        Samples(x[CHOSEN], tuple(CHOSEN), y[CHOSEN], prepared=made.decoder),
        chosen,
        chosen.params.model_validate(asked["method"]),
        Threat(norm=Norm.L2),
        Budget(QUERIES),
        seed=SEED,
    )
    found = api.get(f"{where}/findings").json()["items"]
    assert [(f["value"], f["queries"]) for f in found] == [(o.finding.value, o.finding.queries) for o in here]
    assert any(f["value"] for f in found)


def test_samples_that_span_their_own_directions_are_warned_of_and_a_part_of_the_span_has_its_own_points(
    api, request_body
):
    spanned = {**SPANNING, "subspace": "bottom", "rank": 5}
    own = {"auxiliary_samples_id": request_body["samples_id"], "method": spanned, "budget": {"queries_per_sample": 60}}
    job = api.post("/v1/jobs", json=request_body | own).json()
    while (job := api.get(f"/v1/jobs/{job['id']}", headers={"Prefer": "wait=30"}).json())["state"] != "succeeded":
        assert job["state"] in ("queued", "running"), job["error"]
    assert "auxiliary_overlap" in job["summary"]["warnings"]


def refused(api, body):
    answer = api.post("/v1/jobs", json=body)
    assert answer.status_code == 422, answer.text
    return answer.json()["code"], answer.json()["errors"][0]["pointer"]


def test_auxiliary_samples_that_do_not_fit_are_refused(api, request_body):
    other_shape = upload(api, np.ones((4, 5), np.float32))
    assert refused(api, request_body | {"auxiliary_samples_id": other_shape}) == (
        "shape_mismatch",
        "/auxiliary_samples_id",
    )
    assert refused(api, request_body | {"auxiliary_samples_id": None}) == ("invalid_request", "/auxiliary_samples_id")
    too_many = {"method": {**SPANNING, "subspace": "top", "rank": 21}}
    assert refused(api, request_body | too_many) == ("invalid_request", "/auxiliary_samples_id")
    assert api.post("/v1/jobs", json=request_body | {"auxiliary_samples_id": "smp_unknown"}).status_code == 404
