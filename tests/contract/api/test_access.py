"""Who may do what: every call without a key, without the scope, and with another tenant's ids."""

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.edge.security import SCOPES, new_key
from tests.contract.api.conftest import Api
from tests.contract.test_api_documentation import operations

GUARDED = {call: operation for call, operation in operations().items() if " /v1" in call}
SCOPED = {call: scope for call, o in GUARDED.items() for way in o["security"] for s in way.values() for scope in s}
OWNED = [call for call in GUARDED if re.search(r"\{(model|samples|job|audit)_id\}", call)]
UNKNOWN = {
    "model_id": "mdl_unknown",
    "samples_id": "smp_unknown",
    "job_id": "job_unknown",
    "audit_id": "aud_unknown",
    "name": "policy",
    "index": "0",
}


def send(client: TestClient, call: str, ids: dict[str, str] = UNKNOWN, **more: Any) -> Any:
    method, path = call.split(" ")
    return client.request(method, path.format(**ids), **more)


def said(answer: Any) -> dict[str, Any]:
    """The problem without the one thing that differs between two requests."""
    problem: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.pop("request_id") == answer.headers["x-request-id"]
    return problem


@pytest.mark.parametrize("call", GUARDED)
def test_without_a_key_everything_under_v1_is_401(api: Api, call: str) -> None:
    answer = send(api.stranger(), call)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert said(answer)["code"] == "unauthenticated"


@pytest.mark.parametrize("call", SCOPED)
def test_with_every_scope_but_the_needed_one_a_call_is_403(api: Api, call: str) -> None:
    others = tuple(scope for scope in SCOPES if scope != SCOPED[call])
    answer = send(api.caller(scopes=others), call)
    assert answer.status_code == 403
    assert said(answer)["code"] == "scope_missing"
    assert SCOPED[call] in answer.json()["detail"]


def test_only_the_lists_of_methods_and_schemas_need_no_scope(api: Api) -> None:
    assert set(GUARDED) - set(SCOPED) == {"GET /v1/methods", "GET /v1/schemas/{name}"}
    assert api.caller(scopes=()).get("/v1/methods").status_code == 200


@pytest.mark.parametrize("call", OWNED)
def test_another_tenants_id_is_answered_as_an_unknown_one(api: Api, call: str) -> None:
    owner, other = api.caller("acme"), api.caller("rival")
    job = api.a_job(owner)
    request = job["request"]
    theirs = {"model_id": request["model_id"], "samples_id": request["samples_id"], "job_id": job["id"], "index": "0"}
    theirs["audit_id"] = api.an_audit(owner)["id"]
    foreign, unknown = send(other, call, theirs), send(other, call)
    assert foreign.status_code == unknown.status_code == 404
    assert said(foreign) == said(unknown)
    assert owner.get(f"/v1/jobs/{job['id']}").status_code == 200


@pytest.mark.parametrize("field", ["model_id", "samples_id", "auxiliary_samples_id"])
def test_another_tenants_id_in_a_body_is_answered_as_an_unknown_one(api: Api, field: str) -> None:
    theirs = with_auxiliary(api.a_job_request(api.caller("acme")))
    other = api.caller("rival")
    own = with_auxiliary(api.a_job_request(other))
    foreign = other.post("/v1/jobs", json=own | {field: theirs[field]})
    unknown = other.post("/v1/jobs", json=own | {field: f"{theirs[field][:4]}unknown"})
    assert foreign.status_code == unknown.status_code == 404
    assert said(foreign) == said(unknown)
    assert other.post("/v1/jobs", json=own).status_code == 202


def with_auxiliary(request: dict[str, Any]) -> dict[str, Any]:
    spanning = {"name": "hopskipjump", "directions": "spanning"}
    return request | {"method": spanning, "auxiliary_samples_id": request["samples_id"]}


@pytest.mark.parametrize("collection", ["models", "samples", "jobs", "audits"])
def test_a_list_shows_only_what_is_the_tenants_own(api: Api, collection: str) -> None:
    api.an_audit(api.caller("acme"))
    assert len(api.caller("acme").get(f"/v1/{collection}").json()["items"]) == 1
    assert api.caller("rival").get(f"/v1/{collection}").json()["items"] == []


def test_a_revoked_key_opens_nothing_from_the_next_request_on(api: Api) -> None:
    key = api.key()
    client = api.stranger()
    client.headers["Authorization"] = f"Bearer {key}"
    assert client.get("/v1/methods").status_code == 200
    assert api.store.keys.revoke(key.split("_")[1])
    assert client.get("/v1/methods").status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer brn_x", f"Bearer {new_key().text}", "Bearer \u00e9"],
    ids=["empty", "bare", "blank", "basic", "short", "unknown", "latin"],
)
def test_what_is_not_a_valid_key_is_401(api: Api, header: str) -> None:
    answer = api.stranger().get("/v1/methods", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_the_right_id_with_another_secret_is_401(api: Api) -> None:
    known, other = api.key(), new_key()
    text = known[: len("brn_") + 12] + other.text[len("brn_") + 12 :]
    answer = api.stranger().get("/v1/methods", headers={"Authorization": f"Bearer {text}"})
    assert answer.status_code == 401


def test_a_key_is_looked_at_before_the_body(api: Api) -> None:
    broken = api.stranger().post("/v1/jobs", content=b"{" * 5000, headers={"Content-Type": "application/json"})
    assert broken.status_code == 401
    scopeless = api.caller(scopes=("jobs:read",)).post("/v1/jobs", content=b"{")
    assert scopeless.status_code == 403


def test_using_a_key_is_remembered(api: Api, caller: TestClient) -> None:
    assert caller.get("/v1/methods").status_code == 200
    (record,) = api.store.keys.all()
    assert record.last_used_at is not None
