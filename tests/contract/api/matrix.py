"""What every route answers to whom: the table that `test_access.py` tries whole.

A new route needs a row here. Rows are in an order in which one tenant can make all the calls with ids of its own:
what deletes comes last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from tests.contract.api.conftest import ONNX, PROPERTY, Api, some_samples
from tests.contract.api.test_audits import compute

Ids = dict[str, str]  # name of a parameter -> its value
AUTOMATIC = "HEAD"  # starlette answers it wherever there is a GET, as a GET


def nothing(_: Ids) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Row:
    """`scope` is what a key needs, `own` the status with it, the caller's own ids and `send`."""

    own: int
    scope: str | None = None  # None: any key will do
    send: Callable[[Ids], dict[str, Any]] = nothing
    is_open: bool = False  # no key is needed


def a_job(ids: Ids) -> dict[str, Any]:
    spanning = {"name": "hopskipjump", "directions": "spanning"}
    named = {name: ids[name] for name in ("model_id", "samples_id")}
    return {"json": named | {"auxiliary_samples_id": ids["samples_id"], "method": spanning}}


def a_transfer(ids: Ids, surrogate: str) -> dict[str, Any]:
    """A job that names what the other one cannot."""
    named = {name: ids[name] for name in ("model_id", "samples_id")}
    return {"json": named | {"surrogate_model_id": surrogate, "method": {"name": "transfer"}}}


def an_audit(ids: Ids) -> dict[str, Any]:
    named = {name: ids[name] for name in ("model_id", "samples_id")}
    return {"json": named | {"baseline_audit_id": ids["audit_id"], "recipe": ["pgd"]}}


def a_file(_: Ids) -> dict[str, Any]:
    return {"content": some_samples(), "headers": ONNX}


def a_property(ids: Ids) -> dict[str, Any]:
    return {"params": {"model_id": ids["model_id"]}, "content": PROPERTY}


MATRIX = {
    "GET /healthz": Row(200, is_open=True),
    "GET /readyz": Row(503, is_open=True),  # there is no worker here
    "GET /metrics": Row(200, is_open=True),
    "GET /openapi.json": Row(200, is_open=True),
    "GET /docs": Row(200, is_open=True),
    "GET /docs/oauth2-redirect": Row(200, is_open=True),
    "GET /v1/methods": Row(200),
    "GET /v1/schemas/{name}": Row(200),
    "GET /v1/usage": Row(200, "jobs:read"),
    "POST /v1/models": Row(202, "models:write", a_file),
    "GET /v1/models": Row(200, "models:read"),
    "GET /v1/models/{model_id}": Row(200, "models:read"),
    "POST /v1/models/{model_id}/verify": Row(422, "models:write"),  # reserved
    "POST /v1/samples": Row(201, "samples:write", a_file),
    "GET /v1/samples": Row(200, "samples:read"),
    "GET /v1/samples/{samples_id}": Row(200, "samples:read"),
    "POST /v1/jobs": Row(202, "jobs:write", a_job),
    "POST /v1/properties": Row(202, "jobs:write", a_property),
    "GET /v1/jobs": Row(200, "jobs:read"),
    "GET /v1/jobs/{job_id}": Row(200, "jobs:read"),
    "GET /v1/jobs/{job_id}/findings": Row(200, "jobs:read"),
    "GET /v1/jobs/{job_id}/findings/{index}": Row(200, "jobs:read"),
    "GET /v1/jobs/{job_id}/adversarials": Row(200, "jobs:read"),
    "GET /v1/jobs/{job_id}/events": Row(200, "jobs:read"),
    "POST /v1/jobs/{job_id}/cancel": Row(202, "jobs:write"),
    "POST /v1/audits": Row(202, "jobs:write", an_audit),
    "GET /v1/audits": Row(200, "jobs:read"),
    "GET /v1/audits/{audit_id}": Row(200, "jobs:read"),
    "GET /v1/audits/{audit_id}/verdict": Row(200, "jobs:read"),
    "GET /v1/audits/{audit_id}/report": Row(200, "jobs:read"),
    "GET /v1/audits/{audit_id}/events": Row(200, "jobs:read"),
    "POST /v1/audits/{audit_id}/cancel": Row(202, "jobs:write"),
    "DELETE /v1/jobs/{job_id}": Row(204, "jobs:write"),
    "DELETE /v1/audits/{audit_id}": Row(204, "jobs:write"),
    "DELETE /v1/samples/{samples_id}": Row(409, "samples:write"),  # the job and the audit made above use both
    "DELETE /v1/models/{model_id}": Row(409, "models:write"),
}
GUARDED = {call: row for call, row in MATRIX.items() if not row.is_open}
FIXED = {"name": "policy", "index": "0"}  # parameters that are no tenant's
KINDS = {"model_id": "mdl", "samples_id": "smp", "job_id": "job", "audit_id": "aud"}
UNKNOWN = FIXED | {name: f"{prefix}_unknown" for name, prefix in KINDS.items()}
OWNED = {call: row for call, row in GUARDED.items() if any(f"{{{name}}}" in call for name in KINDS)}


def routes(app: FastAPI) -> set[str]:
    """The application's own list, in the matrix's words."""
    contexts = list(iter_route_contexts(app.routes))
    assert all(context.methods for context in contexts), "a mount or a socket: say how it is guarded"
    return {f"{verb} {context.path}" for context in contexts for verb in context.methods or () if verb != AUTOMATIC}


def send(client: TestClient, call: str, ids: Ids = UNKNOWN, **more: Any) -> Any:
    method, path = call.split(" ")
    return client.request(method, path.format(**ids), **more)


def said(answer: Any) -> dict[str, Any]:
    """The problem without the one thing that differs between two requests."""
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.pop("request_id") == answer.headers["x-request-id"]
    return problem


def a_tenants_things(api: Api, tenant: str) -> Ids:
    """One of each, ended well where it can end."""
    caller = api.caller(tenant)
    job, audit = api.a_job(caller), api.an_audit(caller)
    api.compute(job["id"])
    compute(api, audit)
    request = job["request"]
    made = {"model_id": request["model_id"], "samples_id": request["samples_id"]}
    return FIXED | made | {"job_id": job["id"], "audit_id": audit["id"]}
