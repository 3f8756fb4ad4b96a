"""`substitute` through the front door: what it asks is counted once; radii, and targets by a rule; bad input.

That two jobs learn the same, to the bit, is shown by an endpoint and the same model in process (`test_endpoints.py`).
"""

import io

import httpx2
import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.e2e.machine import DIGITS
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

BYTES = {"Content-Type": "application/octet-stream"}
SUBSTITUTE = {
    "name": "substitute",
    "oracle_queries": 320,
    "seed_rows": 150,
    "held_out": 100,
    "rounds": 2,
    "attack": "pgd",
    "settings": {"steps": 10, "restarts": 1, "search_steps": 6},
}
LIMIT = 24


@pytest.fixture(scope="module")
def api(installation):
    headers = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx2.Client(base_url=installation.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


def uploaded(api, where, data):
    answer = api.post(where, content=data, headers=BYTES | {"Prefer": "wait=60"})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.fixture(scope="module")
def body(api):
    with np.load(DIGITS / "samples.npz") as given:
        samples = npz(x=given["x"], y=given["y"])
    others = (load_digits().images[:400, None] / 16).astype(np.float32)
    return {
        "model_id": uploaded(api, "/v1/models", (DIGITS / "model.onnx").read_bytes()),
        "samples_id": uploaded(api, "/v1/samples", samples),
        "auxiliary_samples_id": uploaded(api, "/v1/samples", npz(x=others)),
        "method": SUBSTITUTE,
        "samples": {"limit": LIMIT},
    }


def ended(api, body):
    answer = api.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    where = f"/v1/jobs/{answer.json()['id']}"
    while (job := api.get(where, headers={"Prefer": "wait=30"}).json())["state"] in ("queued", "running"):
        pass
    assert job["state"] == "succeeded", job["error"]
    return job["summary"], api.get(f"{where}/findings?limit=1000").json()["items"]


def test_a_substitute_is_learned_alike_and_attacked_towards_whatever_is_asked_and_its_queries_are_counted(api, body):
    summary, found = ended(api, body)
    spent = summary["prepare"]
    assert (spent["queries"], spent["gradients"]) == (150 + 100 + 30 + 36, 0)
    told = spent["details"]
    assert (told["rounds"], told["held_out"], told["learned_rows"]) == (3, 100, 216)
    assert told["agreement"] > 0.7, "a tenth would be chance"
    assert summary["success_rate"]["value"] > 0.5
    assert summary["queries"]["total"] == sum(finding["queries"] for finding in found)
    assert summary["gradients"] == 0

    threat = {"norm": "linf", "epsilon": 0.4, "goal": {"targeted": "runner_up"}}
    aimed, led = ended(api, body | {"threat": threat})
    assert aimed["prepare"]["details"] == told | {"aimed": LIMIT}, "the same rows and seed teach the same"
    assert aimed["prepare"]["queries"] == spent["queries"] + LIMIT, "for whoever comes second in each sample's scores"
    shown = [finding["value"] for finding in led if finding["kind"] == "upper_bound"]
    assert len(shown) > LIMIT / 4 and all(value <= 0.4 * (1 + 1e-6) for value in shown)


def test_what_it_cannot_learn_from_is_refused(api, body):
    few = uploaded(api, "/v1/samples", npz(x=np.full((249, 1, 8, 8), 0.5, np.float32)))
    refused = api.post("/v1/jobs", json=body | {"auxiliary_samples_id": few})
    assert refused.status_code == 422
    assert "/auxiliary_samples_id" in refused.text and "250 auxiliary samples are asked for" in refused.text
    short = body["method"] | {"oracle_queries": 249}
    refused = api.post("/v1/jobs", json=body | {"method": short})
    assert refused.status_code == 422
    assert "seed_rows + held_out" in refused.text
