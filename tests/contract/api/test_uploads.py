"""Uploads are counted, hashed, bounded, and leave nothing behind when they fail."""

import hashlib
import time

import anyio
import pytest
from fastapi.testclient import TestClient

from tests.contract.api.asgi import RudeClient
from tests.contract.api.conftest import MOST_BYTES, ONNX, Api, npz, some_samples
from tests.contract.api.test_problems import problem_of
from tests.patience import PATIENCE_SECONDS

PLACES = pytest.mark.parametrize(
    ("path", "too_large"), [("/v1/models", "model_too_large"), ("/v1/samples", "samples_too_large")]
)


def rude(api: Api, path: str, length: int, packets: list[bytes], *, is_complete: bool) -> RudeClient:
    headers = ONNX | {"Authorization": f"Bearer {api.key()}", "Content-Length": str(length)}
    return RudeClient("POST", path, headers, packets, is_complete=is_complete)


@PLACES
def test_an_upload_of_unknown_length_is_411(caller: TestClient, path: str, too_large: str) -> None:
    chunks = iter([b"a", b"b"])
    problem_of(caller.post(path, content=chunks, headers=ONNX), "length_required")


@PLACES
def test_an_upload_announced_too_large_is_413_before_its_body_is_read(api: Api, path: str, too_large: str) -> None:
    client = rude(api, path, MOST_BYTES + 1, [], is_complete=False)
    client.patience = PATIENCE_SECONDS
    started = time.monotonic()
    assert anyio.run(client.call, api.app) == 413
    assert time.monotonic() - started < PATIENCE_SECONDS, "it waited for the body"
    assert too_large.encode() in client.body
    assert api.incoming() == []


@PLACES
def test_an_upload_that_grows_beyond_what_it_announced_is_not_read_to_its_end(
    api: Api, path: str, too_large: str
) -> None:
    client = rude(api, path, 10, [b"a" * 50_000] * 3, is_complete=False)
    assert anyio.run(client.call, api.app) == 422
    assert b"50000 bytes where Content-Length said 10" in client.body and too_large.encode() not in client.body
    assert api.incoming() == []


@PLACES
@pytest.mark.parametrize("length", [3, 9])
def test_another_number_of_bytes_than_announced_is_422(api: Api, path: str, too_large: str, length: int) -> None:
    client = rude(api, path, length, [b"abcde"], is_complete=True)
    assert anyio.run(client.call, api.app) == 422
    assert b"invalid_request" in client.body
    assert api.incoming() == []


@PLACES
def test_a_client_that_hangs_up_leaves_nothing(api: Api, path: str, too_large: str) -> None:
    client = rude(api, path, 50_000, [b"a" * 20_000], is_complete=False)
    assert anyio.run(client.call, api.app) in (0, 499)
    assert api.incoming() == []
    assert api.caller().get(path).json()["items"] == []


@PLACES
@pytest.mark.parametrize("sent", [[b"a"], []], ids=["a byte", "nothing"])
def test_a_client_that_dawdles_is_sent_away(api: Api, path: str, too_large: str, sent: list[bytes]) -> None:
    hurried = api.under(client_seconds=0.1)
    client = rude(hurried, path, 100, sent, is_complete=False)
    client.patience = PATIENCE_SECONDS
    assert anyio.run(client.call, hurried.app) == 408
    assert b"slowly" in client.body
    assert client.header("connection") == "close"
    assert api.incoming() == []


@PLACES
@pytest.mark.parametrize("media_type", [None, "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_another_media_type_is_415(caller: TestClient, path: str, too_large: str, media_type: str | None) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    problem_of(caller.post(path, content=b"abc", headers=headers), "media_type")


@PLACES
@pytest.mark.parametrize("name", ["a\x00b", "line\nbreak", "n" * 201])
def test_a_name_that_could_harm_a_log_is_refused(caller: TestClient, path: str, too_large: str, name: str) -> None:
    problem_of(caller.post(path, params={"name": name}, content=b"abc", headers=ONNX), "invalid_request")


def test_an_upload_is_stored_under_its_digest(api: Api, caller: TestClient) -> None:
    content = bytes(range(256)) * 300
    model = api.a_model(caller, content)
    assert model["sha256"] == hashlib.sha256(content).hexdigest()
    assert model["size_bytes"] == len(content)
    assert api.library.get(model["sha256"]) == content
    assert api.incoming() == []


def test_an_upload_of_exactly_the_limit_is_taken(api: Api, caller: TestClient) -> None:
    assert api.a_model(caller, b"a" * MOST_BYTES)["size_bytes"] == MOST_BYTES


def test_the_same_bytes_again_get_a_new_id_and_outlive_the_first(api: Api, caller: TestClient) -> None:
    first, second = api.a_ready_model(caller), api.a_ready_model(caller)
    assert first["id"] != second["id"]
    assert caller.delete(f"/v1/models/{first['id']}").status_code == 204
    assert api.library.get(second["sha256"]) == b"a model"
    assert caller.delete(f"/v1/models/{second['id']}").status_code == 204
    assert not list(api.library.incoming().parent.glob("objects/*/*"))


def test_bytes_that_two_tenants_share_stay_until_both_have_deleted_them(api: Api) -> None:
    one, two = api.caller("acme"), api.caller("rival")
    first, second = api.samples(one), api.samples(two)
    assert first["sha256"] == second["sha256"]
    assert one.delete(f"/v1/samples/{first['id']}").status_code == 204
    request = {"model_id": api.a_ready_model(two)["id"], "samples_id": second["id"], "method": {"name": "pgd"}}
    boxed = request | {"threat": {"box": [[0.0] * 4, [1.0] * 4]}}  # so that the rows themselves are read
    assert two.post("/v1/jobs", json=boxed).status_code == 202
    assert one.get(f"/v1/samples/{second['id']}").status_code == 404
    assert two.get(f"/v1/samples/{second['id']}").json() == second


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "samples_unreadable"),
        (b"PK\x03\x04 no archive", "samples_unreadable"),
        (npz(y=[1, 2]), "samples_unreadable"),
        (npz(x=[[1.0, float("nan")]]), "samples_not_finite"),
        (some_samples()[:-100], "samples_unreadable"),
    ],
    ids=["empty", "not an archive", "no x", "nan", "cut"],
)
def test_samples_that_cannot_be_used_are_refused_at_once(
    api: Api, caller: TestClient, content: bytes, code: str
) -> None:
    problem_of(caller.post("/v1/samples", content=content, headers=ONNX), code)
    assert api.incoming() == []
    assert not list(api.library.incoming().parent.glob("objects/*/*"))


def test_the_same_key_and_samples_make_one_upload(caller: TestClient) -> None:
    headers = ONNX | {"Idempotency-Key": "3f0c"}
    first, again = (caller.post("/v1/samples?name=rows", content=some_samples(), headers=headers) for _ in "12")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    other = caller.post("/v1/samples?name=rows", content=some_samples(7), headers=headers)
    problem_of(other, "idempotency_key_reused")
    assert len(caller.get("/v1/samples").json()["items"]) == 1
