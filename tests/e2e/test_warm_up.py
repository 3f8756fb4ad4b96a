"""`decision` through the front door: a few samples show the others the way, and all are charged for it."""

import io
import math

import httpx2
import numpy as np
import pytest

from tests.e2e.machine import DIGITS
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

BYTES = {"Content-Type": "application/octet-stream"}
METHOD = {"name": "decision", "initial_directions": 15, "warm_queries": 100}
BUDGET, SAMPLES = 300, 40


@pytest.fixture(scope="module")
def api(installation):
    headers = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx2.Client(base_url=installation.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
def asked(api):
    model = api.post("/v1/models", content=(DIGITS / "model.onnx").read_bytes(), headers=BYTES | {"Prefer": "wait=60"})
    assert model.status_code == 201, model.text
    file, held = io.BytesIO(), np.load(DIGITS / "samples.npz")
    np.savez(file, x=held["x"][:SAMPLES])
    samples = api.post("/v1/samples", content=file.getvalue(), headers=BYTES)
    assert samples.status_code == 201, samples.text
    about = {"model_id": model.json()["id"], "samples_id": samples.json()["id"], "threat": {"norm": "l2"}}
    return about | {"budget": {"queries_per_sample": BUDGET}, "seed": 3}


def ended(api, body):
    answer = api.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    where = f"/v1/jobs/{answer.json()['id']}"
    while (job := api.get(where, headers={"Prefer": "wait=30"}).json())["state"] in ("queued", "running"):
        pass
    assert job["state"] == "succeeded", job["error"]
    return job["summary"], api.get(f"{where}/findings?limit=1000").json()["items"]


def test_what_a_few_samples_asked_is_charged_to_all_and_two_jobs_find_the_same(api, asked):
    summary, found = ended(api, asked | {"method": METHOD})
    made = summary["prepare"]
    share = math.ceil(made["queries"] / SAMPLES)
    assert made["details"] == {"samples": SAMPLES // 8}
    assert 0 < made["queries"] <= 100 * SAMPLES // 8
    without = [finding for finding in found if "warm_up_queries" not in finding["details"]]
    assert without == [], without[:3]
    assert {finding["details"]["warm_up_queries"] for finding in found} == {share}
    assert 0 < max(finding["queries"] for finding in found) <= BUDGET - share
    assert summary["queries_all"]["mean_with_prepare"] == pytest.approx(
        (made["queries"] + summary["queries"]["total"]) / SAMPLES
    )
    assert summary["success_at_queries"][str(BUDGET)] == summary["success_rate"]
    again, same = ended(api, asked | {"method": METHOD})
    assert [finding["value"] for finding in same] == [finding["value"] for finding in found]
    assert again["prepare"]["artifact"] == made["artifact"]


def test_alone_a_sample_is_told_no_way(api, asked):
    summary, (only,) = ended(api, asked | {"method": METHOD, "samples": {"indices": [2]}})
    assert summary["prepare"] is None
    assert "warm_up_queries" not in only["details"]
    assert summary["success_rate"]["value"] == 1
