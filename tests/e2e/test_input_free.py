"""`input_free` through the front door, without any sample: on an upload and on an endpoint, as in process."""

import io

import httpx2
import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threats.threat import Threat
from models.opening import open_model
from tests.e2e.machine import DIGITS
from tests.endpoints_for_tests import FAST
from tests.jobs_for_tests import ready_card
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

WAIT = {"Prefer": "wait=60"}
ASKED = {"method": {"name": "input_free"}, "budget": {"queries_per_sample": 1500}, "seed": 4}
CLASSES = 10


@pytest.fixture(scope="module")
def api(installation):
    headers = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx2.Client(base_url=installation.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


def ended(api, body):
    """(job, findings, points)"""
    answer = api.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    where = f"/v1/jobs/{answer.json()['id']}"
    while (job := api.get(where, headers={"Prefer": "wait=30"}).json())["state"] in ("queued", "running"):
        pass
    assert job["state"] == "succeeded", job["error"]
    points = np.load(io.BytesIO(api.get(f"{where}/adversarials").content))
    return job, api.get(f"{where}/findings").json()["items"], points


@pytest.fixture(scope="module")
def uploaded(api):
    file = (DIGITS / "model.onnx").read_bytes()
    model = api.post("/v1/models", content=file, headers={"Content-Type": "application/octet-stream"} | WAIT)
    assert model.status_code == 201, model.text
    return ended(api, ASKED | {"model_id": model.json()["id"]})


def test_each_class_is_reached_from_plain_gray_as_in_process(uploaded):
    job, found, points = uploaded
    model = open_model(ready_card(), (DIGITS / "model.onnx").read_bytes(), device="cpu")
    gray = np.full((CLASSES, *model.shape), 0.5, np.float32)
    what = Samples(gray, tuple(range(CLASSES)), labels=None, targets=np.arange(CLASSES))
    row = method("input_free")
    here = run(model, what, row, row.params(), Threat(targeted="given"), Budget(1500), seed=ASKED["seed"])
    assert [(f["index"], f["kind"], f["value"], f["norm"]) for f in found] == [
        (o.finding.index, o.finding.kind, o.finding.value, "none") for o in here
    ]
    assert model.labels(points["x"]).tolist() == points["index"].tolist() == points["label"].tolist()
    assert [f["index"] for f in found if f["kind"] == "fooled"] == points["index"].tolist()
    summary = job["summary"]
    assert summary["success_rate"]["value"] == len(points["index"]) / CLASSES > 0.5
    assert (summary["samples"], summary["labels"], summary["clean_accuracy"]) == (CLASSES, None, None)
    assert summary["queries"]["total"] == sum(o.finding.queries for o in here)
    assert job["progress"]["samples_done"] == CLASSES and job["request"]["samples_id"] is None


def test_an_endpoint_that_gives_scores_is_fooled_alike(api, uploaded, served_digits):
    body = {"kind": "endpoint", "url": served_digits.url, "protocol": "open_inference_v2", "limits": FAST}
    about = {"input": {"shape": [1, 8, 8]}, "output": {"kind": "logits", "classes": CLASSES}}
    there = api.post("/v1/models", json=body | about, headers=WAIT)
    assert there.status_code == 201, there.text
    before = served_digits.rows
    job, found, _ = ended(api, ASKED | {"model_id": there.json()["id"], "samples": {"indices": [7, 2]}})
    known = {finding["index"]: finding for finding in uploaded[1]}
    assert found == [known[7], known[2]]
    assert served_digits.rows - before == job["summary"]["queries"]["total"] == sum(f["queries"] for f in found)
