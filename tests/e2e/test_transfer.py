"""`transfer` through the front door: attacked on one uploaded model, tried on another, as in process."""

import io

import httpx2
import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.seam.hint import Hint
from algorithms.threats.threat import Threat
from models.opening import open_model
from tests.e2e.machine import DIGITS
from tests.jobs_for_tests import ready_card
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

BYTES = {"Content-Type": "application/octet-stream"}
SETTINGS = {"steps": 10, "restarts": 1, "search_steps": 6}
TRANSFER = {"name": "transfer", "attack": "pgd", "settings": SETTINGS}
CHOSEN, SEED = list(range(70)), 5  # more than one chunk of the attack


@pytest.fixture(scope="module")
def api(installation):
    headers = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx2.Client(base_url=installation.url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
def models(api):
    uploaded = {}
    for name in ("model", "model_robust"):
        file = (DIGITS / f"{name}.onnx").read_bytes()
        answer = api.post("/v1/models", content=file, headers=BYTES | {"Prefer": "wait=60"})
        assert answer.status_code == 201, answer.text
        uploaded[name] = answer.json()["id"]
    return uploaded


def ended(api, body):
    answer = api.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    where = f"/v1/jobs/{answer.json()['id']}"
    while (job := api.get(where, headers={"Prefer": "wait=30"}).json())["state"] in ("queued", "running"):
        pass
    assert job["state"] == "succeeded", job["error"]
    return job, api.get(f"{where}/findings?limit=1000").json()["items"]


def opened(name):
    return open_model(ready_card(), (DIGITS / f"{name}.onnx").read_bytes(), device="cpu")


def test_what_an_attack_finds_on_one_model_is_tried_on_another(api, models):
    with np.load(DIGITS / "samples.npz") as npz:
        x, y = npz["x"].astype(np.float32), npz["y"].astype(np.int64)
    file = io.BytesIO()
    np.savez(file, x=x, y=y)
    samples = api.post("/v1/samples", content=file.getvalue(), headers=BYTES).json()["id"]
    body = {
        "model_id": models["model_robust"],
        "surrogate_model_id": models["model"],
        "samples_id": samples,
        "method": TRANSFER,
        "samples": {"indices": CHOSEN},
        "seed": SEED,
    }
    job, found = ended(api, body)

    attack, transfer, threat = method("pgd"), method("transfer"), Threat(norm=Norm.L2)
    rows = Samples(x[CHOSEN], tuple(CHOSEN), y[CHOSEN])
    there = run(opened("model"), rows, attack, attack.params(**SETTINGS), threat, Budget(None), seed=SEED)
    hints = tuple(Hint(point=outcome.x_adv) for outcome in there)
    hinted = Samples(rows.x, rows.indices, rows.labels, hints=hints)
    here = run(opened("model_robust"), hinted, transfer, transfer.params(), threat, Budget(), seed=SEED)
    assert [(f["index"], f["value"], f["queries"]) for f in found] == [
        (o.finding.index, o.finding.value, o.finding.queries) for o in here
    ]
    assert sum(o.finding.kind is Kind.UPPER_BOUND for o in here) > len(CHOSEN) / 2

    spent = job["summary"]["prepare"]
    assert spent["queries"] == sum(o.finding.queries for o in there)
    assert spent["gradients"] == sum(o.finding.gradients for o in there)
    assert job["summary"]["queries"]["total"] == sum(o.finding.queries for o in here)
    assert job["summary"]["gradients"] == 0
