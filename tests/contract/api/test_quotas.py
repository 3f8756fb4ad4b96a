"""Quotas as callers meet them: refused before a byte is kept, with what is used, and told by `/v1/usage`."""

from typing import Any

from tests.contract.api.conftest import ONNX, Api, npz, some_samples
from tests.contract.api.test_problems import problem_of

SAMPLES = some_samples()


def usage(caller: Any) -> dict[str, int]:
    answer = caller.get("/v1/usage")
    assert answer.status_code == 200
    return {name: line["used"] for name, line in answer.json().items()}


def test_usage_tells_what_there_is_and_may_be_of_this_tenant_alone(api: Api) -> None:
    caller = api.under(quota_models=7).caller("counted")
    model = api.a_model(caller, b"x" * 1234)
    assert caller.get("/v1/usage").json()["models"] == {"used": 1, "limit": 7}
    assert usage(caller)["stored_bytes"] == 1234
    assert set(usage(api.caller("nobody")).values()) == {0}
    assert caller.delete(f"/v1/models/{model['id']}").status_code == 204
    assert set(usage(caller).values()) == {0}


def test_an_upload_without_room_is_refused_leaves_nothing_and_fits_once_there_is_room(api: Api) -> None:
    full = api.under(quota_stored_bytes=len(SAMPLES) + 10)
    caller = full.caller("full")
    first = full.samples(caller, SAMPLES)
    for path in ("/v1/models", "/v1/samples"):
        problem = problem_of(caller.post(path, content=b"x" * 11, headers=ONNX), "quota_exceeded")
        assert problem.status == 403 and f"{len(SAMPLES)} of {len(SAMPLES) + 10} bytes" in problem.detail
    assert full.incoming() == [] and usage(caller)["stored_bytes"] == len(SAMPLES)
    assert caller.delete(f"/v1/samples/{first['id']}").status_code == 204
    assert full.a_model(caller, b"x" * 11)


def test_what_is_refused_for_what_it_is_gives_its_room_back(api: Api) -> None:
    caller = api.caller("refused")
    problem_of(caller.post("/v1/samples", content=b"no npz", headers=ONNX), "samples_unreadable")
    problem_of(caller.post("/v1/samples", content=npz(x=[[float("nan")]]), headers=ONNX), "samples_not_finite")
    assert set(usage(caller).values()) == {0}


def test_an_upload_that_is_sent_again_is_answered_though_the_room_is_taken(api: Api) -> None:
    full = api.under(quota_samples=1, quota_models=1)
    caller = full.caller("again")
    for path, content in (("/v1/samples", SAMPLES), ("/v1/models", b"a model")):
        answers = [
            caller.post(path, content=content, headers=ONNX | {"Idempotency-Key": "once"}).json() for _ in range(2)
        ]
        assert answers[0]["id"] == answers[1]["id"]
        problem_of(caller.post(path, content=content, headers=ONNX), "quota_exceeded")
    assert (usage(caller)["models"], usage(caller)["samples"]) == (1, 1)


def test_an_upload_that_is_sent_again_is_answered_by_a_tenant_over_its_limit(api: Api) -> None:
    """The limit was lowered, say: what was made is told whatever there is, and nothing is written for it."""
    once = {"headers": ONNX | {"Idempotency-Key": "once"}}
    made = api.caller("over").post("/v1/models", content=b"a model", **once).json()
    caller = api.under(quota_stored_bytes=1, quota_record_bytes=1, quota_models=1).caller("over")
    again = caller.post("/v1/models", content=b"a model", **once)
    assert (again.status_code, again.json()["id"]) == (202, made["id"])
    problem_of(caller.post("/v1/models", content=b"another", **once), "idempotency_key_reused")
    problem_of(caller.post("/v1/models", content=b"a model", headers=ONNX), "quota_exceeded")


def test_a_tenant_with_as_many_live_audits_as_it_may_have_starts_no_other(api: Api) -> None:
    full = api.under(live_audits=1)
    caller = full.caller("audited")
    audit = full.an_audit(caller)
    answer = caller.post("/v1/audits", json=full.an_audit_request(caller))
    assert "1 of 1 live audits" in problem_of(answer, "rate_limited").detail and int(answer.headers["retry-after"]) > 0
    assert caller.delete(f"/v1/audits/{audit['id']}").status_code == 204
    assert full.an_audit(caller)
