"""Who may do what: every route x every id x every scope x every state of a key, as `matrix.py` says."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp

from service.edge.security import SCOPES, new_key
from tests.contract.api.conftest import ONNX, Api, some_samples
from tests.contract.api.matrix import (
    FIXED,
    GUARDED,
    KINDS,
    MATRIX,
    OWNED,
    UNKNOWN,
    Ids,
    a_tenants_things,
    a_transfer,
    routes,
    said,
    send,
)
from tests.contract.test_api_documentation import openapi, operations, references

POWERS = [(), SCOPES, *((scope,) for scope in SCOPES), *(tuple(set(SCOPES) - {scope}) for scope in SCOPES)]


@pytest.fixture
def theirs(api: Api) -> Ids:
    return a_tenants_things(api, "acme")


def test_every_route_of_the_application_is_in_the_matrix(api: Api) -> None:
    assert routes(api.app) == set(MATRIX)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "trace"])
def test_a_route_without_a_row_is_seen(api: Api, method: str) -> None:
    getattr(api.app, method)("/v1/more")(lambda: None)
    assert routes(api.app) - set(MATRIX) == {f"{method.upper()} /v1/more"}


@pytest.mark.parametrize("mount", [FastAPI(), WebSocketRoute("/", print)], ids=["application", "socket"])
def test_what_has_no_methods_must_say_how_it_is_guarded(api: Api, mount: ASGIApp) -> None:
    api.app.mount("/v1/more", mount)
    with pytest.raises(AssertionError, match="say how it is guarded"):
        routes(api.app)


def test_the_document_says_what_the_matrix_says() -> None:
    """Of those that it has: the rest are the document itself and its pages."""
    needed = {
        call: [s for way in o.get("security", []) for of in way.values() for s in of]
        for call, o in operations().items()
    }
    assert needed == {call: [row.scope] if row.scope else [] for call, row in MATRIX.items() if call in needed}
    assert {call for call in MATRIX if call not in needed} == {c for c in MATRIX if re.search("docs|openapi", c)}
    assert {call for call, o in operations().items() if o.get("security")} == set(GUARDED)
    parameters = {name for call in MATRIX for name in re.findall(r"\{(\w+)\}", call)}
    assert parameters == set(FIXED) | set(KINDS)


def bad_keys(api: Api) -> dict[str, bytes | None]:
    """state -> header"""
    good, revoked, other = api.key(), api.key(), new_key().text
    api.store.keys.revoke(revoked.split("_")[1])
    start = len("brn_") + 12
    texts = {
        "none": None,
        "empty": "",
        "bare": "Bearer",
        "blank": "Bearer ",
        "basic": "Basic dXNlcjpwYXNz",
        "of another scheme": f"Token {good}",
        "malformed": "Bearer brn_x",
        "cut": f"Bearer {good[:-1]}",
        "with a letter more": f"Bearer {good}0",
        "not ASCII": "Bearer \u00e9",
        "unknown": f"Bearer {other}",
        "with another's secret": f"Bearer {good[:start]}{other[start:]}",
        "revoked": f"Bearer {revoked}",
    }
    return {state: text if text is None else text.encode("latin-1") for state, text in texts.items()}


def test_no_call_takes_a_key_that_is_none_and_each_says_the_same(api: Api, theirs: Ids) -> None:
    stranger, answered = api.stranger(), {}
    for (state, header), call in product(bad_keys(api).items(), GUARDED):
        answer = send(stranger, call, theirs, headers={} if header is None else {"Authorization": header})
        assert answer.headers["www-authenticate"] == "Bearer"
        answered[state, call] = (answer.status_code, said(answer) | {"instance": None})
    assert {status for status, _ in answered.values()} == {401}
    assert len({str(problem) for _, problem in answered.values()}) == 1


def callers(api: Api, tenant: str) -> Iterator[tuple[tuple[str, ...], TestClient]]:
    for scopes in POWERS:
        yield scopes, api.caller(tenant, scopes)


def test_a_call_is_403_without_its_scope_whatever_the_ids_are(api: Api, theirs: Ids) -> None:
    for tenant, ids in (("acme", theirs), ("acme", UNKNOWN), ("rival", theirs)):
        for (scopes, caller), (call, row) in product(callers(api, tenant), GUARDED.items()):
            if row.scope is None or row.scope in scopes:
                continue
            answer = send(caller, call, ids)
            assert (answer.status_code, said(answer)["code"]) == (403, "scope_missing"), (call, scopes)
            assert row.scope in answer.json()["detail"]


def not_ones_own(theirs: Ids) -> dict[str, Ids]:
    """What is not to be told from an id that nothing has."""
    ours = {name: theirs[name] for name in KINDS}
    shifted = dict(zip(ours, [*list(ours.values())[1:], ours["model_id"]], strict=True))
    longer = {name: f"{value}0" for name, value in ours.items()}
    odd = {name: f"{prefix}_%00:*" for name, prefix in KINDS.items()}
    long = {name: f"{prefix}_{'a' * 500}" for name, prefix in KINDS.items()}
    cases = {"foreign": ours, "of another kind": shifted, "with a letter more": longer, "odd": odd, "long": long}
    return {case: FIXED | ids for case, ids in cases.items()}


def test_what_is_not_the_tenants_own_is_404_and_not_to_be_told_from_what_is_not_there(api: Api, theirs: Ids) -> None:
    before = everything(api.caller("acme"))
    a_tenants_things(api, "rival")
    for scopes, caller in callers(api, "rival"):
        for call in (call for call, row in OWNED.items() if row.scope in scopes):
            unknown = said(send(caller, call))
            assert unknown["status"] == 404
            for case, ids in not_ones_own(theirs).items():
                assert said(send(caller, call, ids)) == unknown, (call, case)
    assert everything(api.caller("acme")) == before


def everything(caller: TestClient) -> list[Any]:
    return [caller.get(f"/v1/{name}").json() for name in ("models", "samples", "jobs", "audits")]


def test_a_key_with_the_one_scope_makes_the_call_on_its_own_ids(api: Api, theirs: Ids) -> None:
    answered = {}
    for call, row in MATRIX.items():
        caller = api.stranger() if row.is_open else api.caller("acme", (row.scope,) if row.scope else ())
        answered[call] = send(caller, call, theirs, **row.send(theirs)).status_code
    assert answered == {call: row.own for call, row in MATRIX.items()}


def id_fields(call: str) -> set[str]:
    """The fields of a call's body that name something, by the document."""
    schemas = openapi()["components"]["schemas"]
    named = {reference.rpartition("/")[2] for reference in references(operations()[call].get("requestBody", {}))}
    return {field for name in named for field in schemas[name].get("properties", {}) if field.endswith("_id")}


BODIES = {call: fields for call in GUARDED if (fields := id_fields(call))}


def test_these_bodies_name_what_is_somebodys() -> None:
    fields = {"model_id", "samples_id"}
    assert BODIES == {
        "POST /v1/jobs": fields | {"auxiliary_samples_id", "surrogate_model_id"},
        "POST /v1/audits": fields | {"baseline_audit_id"},
    }


@pytest.mark.parametrize("call", BODIES)
def test_anothers_id_in_a_body_is_answered_as_an_unknown_one(api: Api, theirs: Ids, call: str) -> None:
    own, other = a_tenants_things(api, "rival"), api.caller("rival")
    rights = [MATRIX[call].send(own)["json"]]
    if call == "POST /v1/jobs":
        rights.append(a_transfer(own, api.a_ready_model(other, b"another")["id"])["json"])
    assert set(BODIES[call]) <= set().union(*rights)
    for right in rights:
        for field in BODIES[call] & set(right):
            name = field.removeprefix("auxiliary_").removeprefix("baseline_").removeprefix("surrogate_")
            unknown = send(other, call, json=right | {field: UNKNOWN[name]})
            assert unknown.status_code == 404
            for case, ids in not_ones_own(theirs).items():
                assert said(send(other, call, json=right | {field: ids[name]})) == said(unknown), (field, case)
        assert send(other, call, json=right).status_code == 202


@pytest.mark.parametrize("collection", ["models", "samples", "jobs", "audits"])
def test_a_list_shows_only_what_is_the_tenants_own_whosever_cursor_it_follows(api: Api, collection: str) -> None:
    owner, other = api.caller("acme"), api.caller("rival")
    for change in ({}, {"seed": 1}):
        api.an_audit(owner, **change)
        api.a_job(owner)
    cursor = owner.get(f"/v1/{collection}?limit=1").json()["next_cursor"]
    assert cursor
    for query in ("", f"?cursor={cursor}"):
        assert other.get(f"/v1/{collection}{query}").json()["items"] == []


def test_the_same_idempotency_key_of_another_tenant_is_another(api: Api) -> None:
    once = {"content": some_samples(), "headers": ONNX | {"Idempotency-Key": "once"}}
    made = [api.caller(tenant).post("/v1/samples", **once).json()["id"] for tenant in ("acme", "rival", "acme")]
    assert made[0] == made[2] != made[1]


def test_a_key_is_looked_at_before_the_body(api: Api) -> None:
    broken = api.stranger().post("/v1/jobs", content=b"{" * 5000, headers={"Content-Type": "application/json"})
    assert broken.status_code == 401
    scopeless = api.caller(scopes=("jobs:read",)).post("/v1/jobs", content=b"{")
    assert scopeless.status_code == 403


def test_using_a_key_is_remembered(api: Api, caller: TestClient) -> None:
    assert caller.get("/v1/methods").status_code == 200
    (record,) = api.store.keys.all()
    assert record.last_used_at is not None
