"""What tenants ask for during a sitting: a spec a row, each with one right answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from tests.e2e.machine import DIGITS
from tests.endpoints_for_tests import FAST
from tests.faults.caller import Caller
from tests.faults.history import History
from tests.served import ServedModel

BYTES = {"Content-Type": "application/octet-stream"}
Ids = dict[str, str]  # of what all jobs share: "model", "served", "samples"


@dataclass(frozen=True)
class Spec:
    """`body` is told the shared ids. A job of `model` 'served' asks an endpoint."""

    sort: str
    request: dict[str, Any]
    model: str = "model"

    def body(self, ids: Ids) -> dict[str, Any]:
        return self.request | {"model_id": ids[self.model], "samples_id": ids["samples"]}


def a_job(method: str, rows: int, queries: int | None = None, **params: Any) -> dict[str, Any]:
    budget = {} if queries is None else {"budget": {"queries_per_sample": queries}}
    asked = {"method": {"name": method, **params}, "threat": {"norm": "l2"}, "samples": {"limit": rows}, "seed": 3}
    return asked | budget


SPECS = {
    "square": Spec("jobs", a_job("square", 24, 400)),
    "pgd": Spec("jobs", a_job("pgd", 24, steps=10)),
    "clever": Spec("jobs", a_job("clever", 8, batches=6, batch_size=16, radius=1.0)),
    "hopskipjump": Spec("jobs", a_job("hopskipjump", 6, 400)),
    "smoothing": Spec("jobs", a_job("smoothing", 8, n0=20, n=400)),
    "noise": Spec("jobs", a_job("noise", 24, points=200)),
    "crown": Spec("jobs", a_job("crown", 4, search_steps=6)),
    "steepest": Spec("jobs", a_job("steepest", 6, climbers=4, steps=4)),
    "square, served": Spec("jobs", a_job("square", 4, 60), model="served"),
    "audit": Spec("audits", {"recipe": ["noise", "pgd"], "samples": {"limit": 6}, "seed": 3}),
    "a model": Spec("models", {}),
    "samples": Spec("samples", {}),
}
WEIGHTS = {"jobs": 4, "audits": 2, "models": 2, "samples": 1}


def share(caller: Caller, served: ServedModel) -> Ids:
    """The uploads that all jobs use."""
    endpoint = {
        "kind": "endpoint",
        "url": served.url,
        "protocol": "open_inference_v2",
        "input": {"shape": [1, 8, 8]},
        "output": {"kind": "logits", "classes": 10},
        "limits": FAST,
    }
    served_id = caller.ask("POST", "/v1/models", json=endpoint).json()["id"]
    model = caller.ask("POST", "/v1/models", content=(DIGITS / "model.onnx").read_bytes(), headers=BYTES).json()["id"]
    ids = {"served": served_id, "model": model, "samples": caller.ask("POST", "/v1/samples", **samples()).json()["id"]}
    for name in ("served", "model"):
        assert caller.ended("models", ids[name])["state"] == "ready"
    return ids


def samples() -> dict[str, Any]:
    return {"content": (DIGITS / "samples.npz").read_bytes(), "headers": BYTES}


def body_of(name: str, ids: Ids) -> dict[str, Any]:
    spec = SPECS[name]
    if spec.sort == "models":
        return {"content": (DIGITS / "model_robust.onnx").read_bytes(), "headers": BYTES}
    return samples() if spec.sort == "samples" else {"json": spec.body(ids)}


def follow(caller: Caller, history: History, name: str, thing: str) -> str:
    """Waits for its end and writes it down; returns the digest."""
    sort = SPECS[name].sort
    state, code, rows, digest, jobs = ENDS[sort](caller, thing)
    history.write("ended", id=thing, state=state, code=code, rows=rows, digest=digest, jobs=jobs)
    return digest


End = tuple[str, str | None, list[int], str, list[str]]


def _end_of_job(caller: Caller, thing: str) -> End:
    job = caller.ended("jobs", thing)
    rows, digest = caller.outcome_of_job(job)
    return job["state"], (job["error"] or {}).get("code"), rows, digest, []


def _end_of_audit(caller: Caller, thing: str) -> End:
    """All its jobs, in their order, and the lines of its report.

    An audit goes on without a job that failed. Here it ended as that job did: it cannot be what it is undisturbed.
    """
    audit = caller.ended("audits", thing)
    jobs = [caller.json(f"/v1/jobs/{job['job_id']}") for job in audit["jobs"]]
    found = [caller.outcome_of_job(job)[1] for job in jobs]
    if audit["state"] == "succeeded":
        found.append(json.dumps(caller.json(f"/v1/audits/{thing}/report")["samples"], sort_keys=True))
    last = next((job for job in jobs if job["state"] == "failed"), audit)
    code, digest = (last["error"] or {}).get("code"), sha256("".join(found).encode()).hexdigest()
    return last["state"], code, [], digest, [job["id"] for job in jobs]


def _end_of_model(caller: Caller, thing: str) -> End:
    card = caller.ended("models", thing)
    told = {name: value for name, value in card.items() if name not in ("id", "created_at", "verified_at")}
    state = "succeeded" if card["state"] == "ready" else "failed"
    code = (card["refusal"] or {}).get("code")
    return state, code, [], sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(), []


def _end_of_samples(caller: Caller, thing: str) -> End:
    card = caller.json(f"/v1/samples/{thing}")
    told = {name: value for name, value in card.items() if name not in ("id", "created_at")}
    return "succeeded", None, [], sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(), []


ENDS: dict[str, Callable[[Caller, str], End]] = {
    "jobs": _end_of_job,
    "audits": _end_of_audit,
    "models": _end_of_model,
    "samples": _end_of_samples,
}
