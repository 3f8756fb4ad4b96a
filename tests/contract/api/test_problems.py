"""Whatever goes wrong has the one shape, says what to do next, and gives nothing away."""

import pickle
from typing import Any

import pytest
import redis
from fastapi.testclient import TestClient

from algorithms.registry import METHODS
from jobs.store.store import Store
from jobs.work.queue import Queue
from service.app import create_app
from service.wire.problems import STATUS, Problem
from tests.contract.api.conftest import Api

JSON = {"Content-Type": "application/json"}


def problem_of(answer: Any, code: str) -> Problem:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = Problem.model_validate(answer.json())
    assert problem.code == code
    assert answer.status_code == problem.status == STATUS[code]
    assert problem.request_id == answer.headers["x-request-id"]
    assert (problem.errors is not None) == (problem.status == 422)
    assert problem.errors != []
    return problem


def test_an_unknown_address_is_404(caller: TestClient) -> None:
    problem_of(caller.get("/v1/nothing/here"), "not_found")


@pytest.mark.parametrize(("address", "named"), [("/v1/jobs?limt=3", "limit"), ("/v1/methods?norm=l2", "none")])
def test_a_query_parameter_that_a_call_does_not_know_is_refused(caller: TestClient, address: str, named: str) -> None:
    problem = problem_of(caller.get(address), "invalid_request")
    assert named in problem.detail


def test_a_misspelt_preprocessing_is_not_a_model_without_any(caller: TestClient) -> None:
    answer = caller.post(
        "/v1/models?preproccesing={}", content=b"x", headers={"Content-Type": "application/octet-stream"}
    )
    problem_of(answer, "invalid_request")


@pytest.mark.parametrize(
    ("address", "allow"),
    [
        ("/v1/models", "GET, POST"),
        ("/v1/models/mdl_1", "DELETE, GET"),
        ("/v1/audits/aud_1", "DELETE, GET"),
        ("/v1/jobs/job_1/cancel", "POST"),
        ("/healthz", "GET"),
    ],
)
def test_a_method_that_an_address_does_not_know_is_405_with_all_those_it_does(
    caller: TestClient, address: str, allow: str
) -> None:
    answer = caller.put(address)
    problem_of(answer, "method_not_allowed")
    assert answer.headers["allow"] == allow


def test_an_address_with_a_slash_too_many_is_404_and_not_another_address(caller: TestClient) -> None:
    problem_of(caller.get("/v1/jobs/", follow_redirects=False), "not_found")
    problem_of(caller.post("/v1/jobs/", json={}, follow_redirects=False), "not_found")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b'{"seed": NaN}',
        b'{"seed": Infinity}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        pickle.dumps({"seed": 1}),
    ],
    ids=["empty", "cut", "text", "nan", "infinity", "latin", "deep list", "deep object", "pickle"],
)
def test_what_is_not_json_is_422(caller: TestClient, body: bytes) -> None:
    problem_of(caller.post("/v1/jobs", content=body, headers=JSON), "invalid_request")


@pytest.mark.parametrize(
    "body", [b'{"seed": 1, "seed": 2}', b'{"method": {"name": "pgd", "seed": 1, "see\\u0064": 1}}']
)
def test_a_key_that_stands_twice_is_named_and_refused(caller: TestClient, body: bytes) -> None:
    problem = problem_of(caller.post("/v1/jobs", content=body, headers=JSON), "invalid_request")
    assert "'seed'" in problem.detail


@pytest.mark.parametrize("body", ["[]", "5", '"job"', "null"])
def test_json_that_is_no_object_is_422(caller: TestClient, body: str) -> None:
    problem_of(caller.post("/v1/jobs", content=body, headers=JSON), "invalid_request")


def test_a_body_of_another_type_is_415(caller: TestClient) -> None:
    problem_of(caller.post("/v1/jobs", content=b"model_id=1"), "media_type")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    problem_of(caller.post("/v1/jobs", content=b"model_id=1", headers=form), "media_type")


def test_a_huge_json_body_is_413(caller: TestClient) -> None:
    body = b'{"model_id": "' + b"a" * (1 << 20) + b'"}'
    problem_of(caller.post("/v1/jobs", content=body, headers=JSON), "body_too_large")


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"method": {"name": "magic"}}, "unknown_method", "/method/name"),
        ({"method": {"name": "pgd", "magic": 1}}, "invalid_request", "/method/magic"),
        ({"threat": {"norm": "l7"}}, "invalid_request", "/threat/norm"),
        ({"threat": {"norm": "l2", "pixelwise": True}}, "invalid_request", "/threat/pixelwise"),
        ({"threat": {"norm": "l0", "epsilon": 2.5}}, "invalid_request", "/threat/epsilon"),
        ({"method": {"name": "clever"}, "threat": {"norm": "l0"}}, "norm_not_supported", "/threat/norm"),
        ({"threat": {"epsilon": -1}}, "invalid_request", "/threat/epsilon"),
        ({"tenant": "rival"}, "invalid_request", "/tenant"),
        ({"state": "succeeded"}, "invalid_request", "/state"),
        (
            {"method": {"name": "hopskipjump", "directions": "spanning"}},
            "invalid_request",
            "/auxiliary_samples_id",
        ),
        ({"threat": {"scale": [1]}}, "not_available", "/threat/scale"),
        ({"budget": {"queries_per_sample": 1}}, "budget_too_small", "/budget/queries_per_sample"),
        ({"method": {"name": "square"}, "threat": {"norm": "l0"}}, "norm_not_supported", "/threat/norm"),
        ({"method": {"name": "clever"}, "threat": {"epsilon": 0.1}}, "epsilon_refused", "/threat/epsilon"),
        ({"threat": {"box": [0.9, 1]}}, "outside_box", "/threat/box"),
        ({"seed": True}, "invalid_request", "/seed"),
        ({"hints": {"digest": "0" * 64, "points": 1, "reached": 1, "proven": 0}}, "invalid_request", "/hints"),
    ],
)
def test_a_job_that_cannot_run_is_refused_with_the_place_to_mend(
    api: Api, caller: TestClient, change: dict[str, Any], code: str, pointer: str
) -> None:
    answer = caller.post("/v1/jobs", json=api.a_job_request(caller, **change))
    problem = problem_of(answer, code)
    assert problem.errors
    assert problem.errors[0].pointer == pointer
    assert caller.get("/v1/jobs").json()["items"] == []


def test_what_there_is_not_is_said_in_words_and_with_what_there_is(api: Api, caller: TestClient) -> None:
    unknown = caller.post("/v1/jobs", json=api.a_job_request(caller, method={"name": "magic"}))
    known = ", ".join(sorted(f"'{method.name}'" for method in METHODS))
    assert f"There is no 'magic'; choose one of {known}. " in problem_of(unknown, "unknown_method").detail
    extra = caller.post("/v1/jobs", json=api.a_job_request(caller, method={"name": "pgd", "magic": 1}))
    assert "/method/magic: There is no such field." in problem_of(extra, "invalid_request").detail
    text = caller.post("/v1/jobs", json=api.a_job_request(caller, method={"name": "zoo", "grids": "8,16"}))
    assert "/method/grids: Input should be a list." in problem_of(text, "invalid_request").detail


def test_all_wrong_fields_are_listed_at_once(caller: TestClient) -> None:
    problem = problem_of(caller.post("/v1/jobs", json={"seed": -1, "method": {"name": "pgd"}}), "invalid_request")
    assert problem.errors is not None
    assert {e.pointer for e in problem.errors} == {"/model_id", "/seed"}


def test_a_thousand_wrong_fields_make_a_short_answer(caller: TestClient) -> None:
    answer = caller.post("/v1/jobs", json={f"field{n}": "x" * 500 for n in range(1000)})
    problem_of(answer, "invalid_request")
    assert len(answer.content) < 10_000


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=many", "cursor=ours", "state=done"])
def test_a_wrong_query_parameter_is_422_and_named(caller: TestClient, query: str) -> None:
    problem = problem_of(caller.get(f"/v1/jobs?{query}"), "invalid_request")
    assert query.split("=")[0] in problem.detail


def test_an_unready_model_is_409(api: Api, caller: TestClient) -> None:
    request = {"model_id": api.a_model(caller)["id"], "samples_id": api.samples(caller)["id"]}
    problem_of(caller.post("/v1/jobs", json=request | {"method": {"name": "pgd"}}), "model_not_ready")


def test_what_nobody_foresaw_is_500_without_a_word_of_it(
    api: Api, caller: TestClient, capsys: pytest.CaptureFixture[str]
) -> None:
    job = api.a_job(caller)
    with redis.Redis.from_url(api.settings.redis_url) as damage:
        damage.hset(f"{{brinell}}:t:acme:job:{job['id']}", "request", "/secret/path")
    answer = caller.get(f"/v1/jobs/{job['id']}")
    problem = problem_of(answer, "internal")
    assert "secret" not in answer.text
    assert problem.request_id in capsys.readouterr().err  # the log knows
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_while_redis_is_away_calls_are_503_with_retry_after(api: Api) -> None:
    nowhere = api.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    app = create_app(nowhere, Store(nowhere, Queue(nowhere.redis_url), api.library), api.library)
    client = TestClient(app, raise_server_exceptions=False)
    answer = client.get("/v1/models", headers={"Authorization": f"Bearer {api.key()}"})
    problem_of(answer, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert client.get("/healthz").status_code == 200
    assert "brinell_store_up 0.0" in client.get("/metrics").text
