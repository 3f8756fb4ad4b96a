"""The client against a server that answers as the API does, and one that fails as networks do."""

import json

import pytest

from brinell.client import Client
from brinell.errors import BrinellError, TimedOut
from brinell.wire import transport
from tests.unit.brinell.stand_in import KEY, MODEL, problem

BUSY = problem(503, "unavailable", "Try again.")[:2]


@pytest.fixture
def client(api):
    with Client(api.url, KEY) as client:
        yield client


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(transport, "LONGEST_PAUSE_SECONDS", 0.01)


def test_findings_of_all_pages_come_in_order(client):
    assert [finding["index"] for finding in client.findings("job_1")] == [0, 1, 2]


def test_a_problem_document_is_carried_by_the_error(client):
    with pytest.raises(BrinellError) as refusal:
        client.job("job_unknown")
    assert (refusal.value.status, refusal.value.code, refusal.value.request_id) == (404, "not_found", "req_1")
    assert refusal.value.detail == "There is no such thing."


def test_a_wrong_key_is_an_error_and_not_a_retry(api):
    with Client(api.url, "brn_wrong") as client, pytest.raises(BrinellError, match="Send a key"):
        client.methods()
    assert len(api.requests) == 1


@pytest.mark.parametrize("fault", ["reset", (*BUSY, {"Retry-After": "1"}), (*problem(429, "rate_limited")[:2], {})])
def test_a_passing_fault_is_not_seen_by_the_caller(api, client, fault):
    api.faults = [fault, fault]
    assert client.job("job_1")["id"] == "job_1"
    assert len(api.requests) == 3


def test_patience_with_a_busy_server_is_bounded(api, client):
    api.faults = [(*BUSY, {})] * 50
    with pytest.raises(BrinellError) as refusal:
        client.methods()
    assert refusal.value.code == "unavailable"
    assert len(api.requests) == transport.ATTEMPTS


def test_an_endpoint_is_registered_by_its_description(api, client):
    request = {"kind": "endpoint", "url": "https://models.example.com/score"}
    assert client.register_endpoint(request)["id"] == "mdl_1"
    (_, path, headers, body) = api.requests[0]
    assert (path, headers["Content-Type"], json.loads(body)) == ("/v1/models", "application/json", request)


def test_an_endpoint_that_is_refused_is_an_error(api, client):
    reason = {"code": "endpoint_unavailable", "detail": "It did not answer."}
    api.model = {**api.model, "state": "refused", "refusal": reason}
    with pytest.raises(BrinellError, match="did not answer"):
        client.register_endpoint({"kind": "endpoint"})


def test_a_job_sent_twice_carries_one_idempotency_key(api, client):
    api.faults = ["reset"]
    client.create_job({"model_id": "mdl_1"})
    keys = [headers["Idempotency-Key"] for _, _, headers, _ in api.requests]
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_two_jobs_have_two_idempotency_keys(api, client):
    client.create_job({})
    client.create_job({})
    assert len({headers["Idempotency-Key"] for _, _, headers, _ in api.requests}) == 2


def test_an_upload_cut_off_is_not_sent_again(api, client, tmp_path):
    (tmp_path / "s.npz").write_bytes(b"x")
    api.faults = ["reset"]
    with pytest.raises(BrinellError, match="Cannot reach"):
        client.upload_samples(tmp_path / "s.npz")
    assert len(api.requests) == 1


def test_an_upload_put_off_is_sent_again_whole(api, client, tmp_path):
    content = bytes(range(256)) * 4096
    (tmp_path / "m.onnx").write_bytes(content)
    api.faults = [(*BUSY, {"Retry-After": "0"})]
    assert client.upload_model(tmp_path / "m.onnx")["id"] == "mdl_1"
    assert [body for _, _, _, body in api.requests] == [content, content]


def test_an_upload_reports_its_bytes_to_the_last(client, tmp_path):
    (tmp_path / "s.npz").write_bytes(bytes(700_000))
    seen = []
    client.upload_samples(tmp_path / "s.npz", on_sent=lambda sent, total: seen.append((sent, total)))
    assert seen[-1] == (700_000, 700_000)
    assert len(seen) > 1


def test_a_model_refused_after_the_wait_is_the_same_error_as_one_refused_at_once(api, client, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"x")
    refusal = {"code": "shape_bomb", "detail": "Make it smaller."}
    api.model = {**MODEL, "state": "refused", "refusal": refusal}
    api.faults = [(202, {**MODEL, "state": "inspecting"}, {})]
    with pytest.raises(BrinellError, match="Make it smaller") as late:
        client.upload_model(tmp_path / "m.onnx")
    api.faults = [problem(422, "shape_bomb", "Make it smaller.", model_id="mdl_1")]
    with pytest.raises(BrinellError, match="Make it smaller") as early:
        client.upload_model(tmp_path / "m.onnx")
    assert late.value.code == early.value.code == "shape_bomb"


def test_waiting_shows_every_state_and_ends_with_the_last(client):
    seen = []
    job = client.wait_for_job("job_1", on_job=lambda job: seen.append(job["state"]))
    assert seen == ["queued", "running", "succeeded"]
    assert job["state"] == "succeeded"


def test_waiting_asks_the_server_to_wait(api, client):
    client.wait_for_job("job_1")
    assert {headers["Prefer"] for _, _, headers, _ in api.requests} == {"wait=30"}


def test_waiting_ends_when_time_is_up(api, client):
    api.job_states = ["running"]
    with pytest.raises(TimedOut):
        client.wait_for_job("job_1", timeout_seconds=0.05)


def test_a_server_that_is_not_there_is_named(tmp_path):
    with Client("http://127.0.0.1:1", KEY) as client, pytest.raises(BrinellError, match=r"127\.0\.0\.1:1"):
        client.methods()


def test_a_server_that_is_not_brinell_is_noticed(api, client):
    api.faults = [(200, b"<html>", {"Content-Type": "text/html"}), (502, b"<html>", {"Content-Type": "text/html"})]
    for _ in range(2):
        with pytest.raises(BrinellError) as refusal:
            client.methods()
        assert refusal.value.code == "not_brinell"


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://somewhere", "http://", "http://[::1", "http://a:port"])
def test_what_is_no_address_is_refused_before_any_call(url):
    with pytest.raises(BrinellError) as refusal:
        Client(url, KEY)
    assert refusal.value.code == "bad_address"


@pytest.mark.parametrize("key", ["brn_\nX-Evil: 1", "brn_é"])
def test_a_key_that_cannot_be_a_header_is_refused_before_any_call(key):
    with pytest.raises(BrinellError) as refusal:
        Client("http://127.0.0.1:1", key)
    assert refusal.value.code == "bad_key"


def test_an_id_cannot_leave_its_collection(api, client):
    with pytest.raises(BrinellError):
        client.job("../models/mdl_1")
    assert api.paths("GET") == ["/v1/jobs/..%2Fmodels%2Fmdl_1"]
