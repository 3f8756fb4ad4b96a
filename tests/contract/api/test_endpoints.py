"""`POST /v1/models` with an endpoint: what is taken, what is refused, what is shown, and who keeps the secret."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from jobs.credentials import Seal
from jobs.installation.settings import Settings
from service.wire.waiting import LONGEST_SECONDS
from tests.contract.api.conftest import ENDPOINT, TRUSTED_ORIGIN, Api
from tests.contract.api.test_problems import problem_of

CANARY = "canary-7f3a9c"
TEMPLATE = {
    "protocol": "json_template",
    "options": {"request": {"rows": "$batch"}, "scores": "$.scores[*]"},
}


def refused(caller: TestClient, pointer: str, **change: Any) -> None:
    problem = problem_of(caller.post("/v1/models", json=ENDPOINT | change), "invalid_request")
    assert [error.pointer for error in problem.errors or []] == [pointer], problem


def test_an_endpoint_of_a_trusted_origin_is_inspected_by_a_probe_worker(api: Api, caller: TestClient) -> None:
    card = api.an_endpoint(caller)
    assert (card["kind"], card["state"], card["name"]) == ("endpoint", "inspecting", "served")
    assert card["endpoint"]["limits"] == {
        "max_batch": 32,
        "concurrency": 2,
        "requests_per_second": 5.0,
        "burst": 10,
        "timeout_seconds": 10.0,
    }
    assert card["endpoint"]["options"] == {"input_name": "input", "output_name": None}
    assert api.lease(card["id"]).work == "inspect"


def test_an_endpoint_elsewhere_stays_unverified_and_is_never_asked(api: Api, caller: TestClient) -> None:
    card = api.an_endpoint(caller, url="https://models.example.com/v2/models/m/infer")
    assert card["state"] == "unverified"
    assert api.store.leases.acquire(card["id"], 0) is None
    assert caller.get(f"/v1/models/{card['id']}").json() == card


def test_a_wait_for_an_unverified_endpoint_ends_at_once(caller: TestClient) -> None:
    body = ENDPOINT | {"url": "https://models.example.com/v2/models/m/infer"}
    answer = caller.post("/v1/models", json=body, headers={"Prefer": f"wait={LONGEST_SECONDS}"})
    assert answer.status_code == 202
    assert answer.elapsed.total_seconds() < LONGEST_SECONDS


def test_an_unverified_endpoint_cannot_be_attacked(api: Api, caller: TestClient) -> None:
    card = api.an_endpoint(caller, url="https://models.example.com/v2/models/m/infer")
    samples = api.samples(caller)
    request = {"model_id": card["id"], "samples_id": samples["id"], "method": {"name": "square"}}
    problem = problem_of(caller.post("/v1/jobs", json=request), "model_not_ready")
    assert problem.status == 409
    assert "BRINELL_TRUSTED_ORIGINS" in problem.detail
    problem_of(caller.post(f"/v1/models/{card['id']}/verify"), "not_available")


def test_an_origin_that_is_not_trusted_any_more_cannot_be_attacked(api: Api, caller: TestClient) -> None:
    card = api.an_endpoint(caller)
    api.inspect(card["id"])
    samples = api.samples(caller)
    request = {"model_id": card["id"], "samples_id": samples["id"], "method": {"name": "square"}}
    assert caller.post("/v1/jobs", json=request).status_code == 202
    strict = Settings(**api.settings.model_dump() | {"trusted_origins": ()})
    parts = api.app.state.parts
    api.app.state.parts = type(parts)(strict, parts.store, parts.library)
    problem_of(caller.post("/v1/jobs", json=request), "model_not_ready")


@pytest.mark.parametrize(
    ("pointer", "change"),
    [
        ("/url", {"url": "http://127.0.0.1:9/v2/models/m/infer"}),
        ("/url", {"url": "https://169.254.169.254/latest"}),
        ("/url", {"url": "https://user:password@models.example.com/"}),
        ("/url", {"url": f"{TRUSTED_ORIGIN}/v2/models/m"}),
        ("/url", {"url": f"{TRUSTED_ORIGIN}/behind/v2/models/m/versions/1/?key=a"}),
        ("/protocol", {"protocol": "grpc"}),
        ("/protocol", {"protocol": "_client"}),
        ("/output/kind", {"output": {"kind": "topk", "classes": 3}}),
        ("/output/classes", {"output": {"kind": "logits", "classes": 1}}),
        ("/output/classes", {"output": {"kind": "labels", "classes": ["cat"]}}),
        ("/output/classes", {"output": {"kind": "labels", "classes": ["1", "1.0"]}}),
        ("/output/classes/1", {"output": {"kind": "labels", "classes": ["cat", 3, "dog"]}}),
        ("/output/classes/0", {"output": {"kind": "labels", "classes": ["c" * 65, "dog", "emu"]}}),
        ("/input/shape", {"input": {"shape": []}}),
        ("/input/shape", {"input": {"shape": [4096, 4096, 2]}}),
        ("/limits/max_batch", {"input": {"shape": [3, 1024, 1024]}}),
        ("/limits/max_batch", {"input": {"shape": [4097]}, "limits": {"max_batch": 4096}}),
        ("/input/dtype", {"input": {"shape": [4], "dtype": "uint8"}}),
        ("/limits/max_batch", {"limits": {"max_batch": 0}}),
        ("/limits/requests_per_second", {"limits": {"requests_per_second": 0.01}}),
        ("/limits/timeout_seconds", {"limits": {"timeout_seconds": 1e9}}),
        ("/options/model", {"options": {"model": "m"}}),
        ("/options", {"protocol": "json_template", "options": {"request": {}, "scores": "$.a"}}),
        ("/options", {"protocol": "json_template", "options": {"request": ["$batch", "$batch"], "scores": "$.a"}}),
        ("/options", {"protocol": "json_template", "options": {"request": "$batch"}}),
        ("/options", {"protocol": "json_template", "options": {"request": "$batch", "scores": "$.a", "label": "$.b"}}),
        ("/options/scores", {"protocol": "json_template", "options": {"request": "$batch", "scores": "predictions["}}),
        ("/auth/name", {"auth": {"type": "header", "name": "Host", "value": "x"}}),
        ("/auth/name", {"auth": {"type": "header", "name": "Proxy-Authorization", "value": "x"}}),
        ("/auth/name", {"auth": {"type": "header", "name": "X Key", "value": "x"}}),
        ("/auth/value", {"auth": {"type": "header", "name": "X-Key", "value": "a\r\nHost: b"}}),
        ("/auth/token", {"auth": {"type": "bearer", "token": ""}}),
        ("/auth/type", {"auth": {"type": "basic", "user": "u", "password": "p"}}),
        ("/proxy", {"proxy": "http://127.0.0.1"}),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(caller: TestClient, pointer: str, change: dict[str, Any]) -> None:
    refused(caller, pointer, **change)


def test_a_request_may_have_as_many_numbers_as_a_row(api: Api, caller: TestClient) -> None:
    api.an_endpoint(caller, input={"shape": [4096]}, limits={"max_batch": 4096})
    api.an_endpoint(caller, input={"shape": [4096, 4096]}, limits={"max_batch": 1})


@pytest.mark.parametrize("path", ["/v2/models/m/versions/1/infer?key=a", "/score", "/v2/models/m/invocations"])
def test_open_inference_is_spoken_at_any_path_that_may_take_rows(api: Api, caller: TestClient, path: str) -> None:
    assert api.an_endpoint(caller, url=TRUSTED_ORIGIN + path)["endpoint"]["url"].endswith(path)


def test_classes_may_be_named(api: Api, caller: TestClient) -> None:
    card = api.an_endpoint(caller, output={"kind": "labels", "classes": ["cat", "dog"]})
    assert card["endpoint"]["output"] == {"kind": "labels", "classes": ["cat", "dog"]}
    assert card["classes_named"] is None, "nobody has asked it yet"


@pytest.mark.parametrize("dtype", ["uint8", "UINT8", "int64", "bool"])
def test_whole_numbers_on_the_wire_are_refused_with_the_reason(caller: TestClient, dtype: str) -> None:
    answer = caller.post("/v1/models", json=ENDPOINT | {"input": {"shape": [4], "dtype": dtype}})
    assert "attacks change rows by fractions" in problem_of(answer, "invalid_request").detail


@pytest.mark.parametrize("text", ["x" * 600_000, "\N{SNOWMAN}" * 100_000], ids=["long", "longer once escaped"])
def test_a_description_that_no_card_could_carry_is_refused(caller: TestClient, text: str) -> None:
    options = {"request": {"rows": "$batch", "text": text}, "scores": "$.scores[*]"}
    body = ENDPOINT | TEMPLATE | {"options": options}
    problem = problem_of(caller.post("/v1/models", json=body), "invalid_request")
    assert "512 KiB" in problem.detail and text[:9] not in problem.detail


def test_a_template_is_taken_as_it_is(api: Api, caller: TestClient) -> None:
    card = api.an_endpoint(caller, **TEMPLATE)
    assert card["endpoint"]["options"] == {"request": {"rows": "$batch"}, "scores": "$.scores[*]", "label": None}


def test_a_secret_is_written_and_never_read(api: Api, caller: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    card = api.an_endpoint(caller, auth={"type": "bearer", "token": CANARY})
    assert card["credential"] == {"set": True, "fingerprint": card["credential"]["fingerprint"]}
    assert len(card["credential"]["fingerprint"]) == 4
    seen = caller.get(f"/v1/models/{card['id']}").text + caller.get("/v1/models").text
    seen += problem_of(caller.post("/v1/models", json=ENDPOINT | {"auth": {"token": CANARY}}), "invalid_request").detail
    seen += str(capsys.readouterr())
    seen += str(everything_in_redis(api))
    seen += api.library.get(card["sha256"]).decode()
    assert CANARY not in seen


def everything_in_redis(api: Api) -> list[Any]:
    redis = Redis.from_url(api.settings.redis_url, decode_responses=True)
    reads = {"string": "GET", "hash": "HGETALL", "set": "SMEMBERS"}
    named = [(key, redis.type(key)) for key in redis.scan_iter("*")]
    assert named
    return named + [redis.execute_command(reads[kind], key) for key, kind in named if kind in reads]


def test_the_lease_alone_hands_the_secret_out_and_only_for_its_own_model(api: Api, caller: TestClient) -> None:
    card = api.an_endpoint(caller, auth={"type": "header", "name": "X-Api-Key", "value": CANARY})
    lease = api.lease(card["id"])
    assert lease.sealed is not None
    seal = Seal(api.settings.secret_keys)
    opened = seal.open(lease.sealed, tenant="acme", model_id=card["id"])
    assert opened is not None
    assert (opened.name, opened.value) == ("X-Api-Key", CANARY)
    assert seal.open(lease.sealed, tenant="other", model_id=card["id"]) is None
    assert seal.open(lease.sealed, tenant="acme", model_id="mdl_other") is None
    assert CANARY not in repr(lease) + repr(opened)


def test_without_a_key_no_secret_is_taken(api: Api, caller: TestClient) -> None:
    parts = api.app.state.parts
    keyless = Settings(**api.settings.model_dump() | {"secret_keys": ()})
    api.app.state.parts = type(parts)(keyless, parts.store, parts.library)
    answer = caller.post("/v1/models", json=ENDPOINT | {"auth": {"type": "bearer", "token": CANARY}})
    assert "BRINELL_SECRET_KEYS" in problem_of(answer, "not_available").detail
    assert caller.post("/v1/models", json=ENDPOINT).status_code == 202


def test_the_same_key_and_registration_make_one_endpoint(caller: TestClient) -> None:
    headers = {"Idempotency-Key": "once"}
    body = ENDPOINT | {"auth": {"type": "bearer", "token": CANARY}}
    first, again = (caller.post("/v1/models", json=body, headers=headers) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    body = ENDPOINT | {"auth": {"type": "bearer", "token": "another"}}
    problem_of(caller.post("/v1/models", json=body, headers=headers), "idempotency_key_reused")


def test_a_refused_endpoint_says_why_in_words_of_ours(api: Api, caller: TestClient) -> None:
    card = api.an_endpoint(caller)
    api.refuse(card["id"], "endpoint_bad_response", "The endpoint answered something else than JSON.")
    refusal = caller.get(f"/v1/models/{card['id']}").json()["refusal"]
    assert refusal["code"] == "endpoint_bad_response"


def test_an_endpoint_can_be_deleted_and_its_origin_is_as_it_was_compared(api: Api, caller: TestClient) -> None:
    card = api.an_endpoint(caller)
    assert card["endpoint"]["origin"] == TRUSTED_ORIGIN
    assert caller.delete(f"/v1/models/{card['id']}").status_code == 204
    assert caller.get(f"/v1/models/{card['id']}").status_code == 404
