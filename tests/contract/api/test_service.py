"""What surrounds the calls: health, readiness, metrics, headers, logs, the key tool, methods."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from algorithms.registry import METHODS
from service import keys
from tests.contract.api.conftest import ONNX, Api
from tests.contract.api.test_problems import problem_of
from tests.patience import PATIENCE_SECONDS, until


def beat(
    api: Api, kind: Any = "compute", *queues: str, isolation: str = "strict", denied: tuple[str, ...] = ()
) -> None:
    info = {"isolation": isolation, "isolation_denied": denied, "queues": queues or [kind, "inspect"]}
    api.store.workers.beat(f"worker-{kind}-{isolation}", kind, info)


def test_an_alive_process_says_so(api: Api) -> None:
    assert api.stranger().get("/healthz").json() == {"status": "alive"}


def test_ready_needs_a_compute_worker_and_names_the_isolation(api: Api) -> None:
    stranger = api.stranger()
    beat(api, "probe", "probe")
    missing = stranger.get("/readyz")
    assert "compute worker" in problem_of(missing, "unavailable").detail
    assert int(missing.headers["retry-after"]) >= 1
    beat(api)
    ready = stranger.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "workers": {"compute": 1, "probe": 1},
        "isolation": "strict",
        "isolation_denied": [],
    }


def test_ready_names_each_isolation_and_what_kept_a_worker_from_a_stricter_one(api: Api) -> None:
    beat(api, denied=("user", "net"))
    beat(api, isolation="basic", denied=("landlock",))
    ready = api.stranger().get("/readyz").json()
    assert (ready["isolation"], ready["isolation_denied"]) == ("basic, strict", ["landlock", "net", "user"])


def test_ready_needs_a_worker_that_takes_uploads(api: Api) -> None:
    beat(api, "compute", "compute")
    beat(api, "probe", "probe")
    assert "-Q inspect" in problem_of(api.stranger().get("/readyz"), "unavailable").detail
    beat(api, "inspect", "inspect")
    assert api.stranger().get("/readyz").status_code == 200


def test_ready_needs_the_library(api: Api) -> None:
    beat(api)
    shutil.rmtree(api.library.incoming())
    assert "library" in problem_of(api.stranger().get("/readyz"), "unavailable").detail


def test_metrics_count_requests_by_route_and_show_the_backlog(api: Api, caller: TestClient) -> None:
    job = api.a_job(caller)
    caller.get(f"/v1/jobs/{job['id']}")
    caller.get("/v1/nothing/at/all")
    text = api.stranger().get("/metrics").text
    assert 'brinell_http_requests_total{method="GET",route="/v1/jobs/{job_id}",status="200"} 1.0' in text
    assert 'brinell_http_requests_total{method="GET",route="none",status="404"} 1.0' in text
    assert 'brinell_http_request_seconds_count{method="POST",route="/v1/jobs"} 1.0' in text
    assert 'brinell_jobs{state="queued"} 1.0' in text
    assert "brinell_queue_depth 1.0" in text
    api.compute(job["id"])
    text = api.stranger().get("/metrics").text
    assert 'brinell_jobs{state="queued"} 0.0' in text
    assert 'brinell_jobs{state="succeeded"} 1.0' in text
    assert "brinell_queue_depth 0.0" in text
    assert job["id"] not in text


@pytest.mark.parametrize("path", ["/healthz", "/v1/methods", "/v1/nothing", "/openapi.json", "/docs"])
def test_every_answer_carries_the_headers_that_keep_browsers_and_caches_in_check(api: Api, path: str) -> None:
    headers = api.stranger().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert len(headers["x-request-id"]) >= 8
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("given", "is_kept"), [("trace-1234.5_6", True), ("short", False), ("a b c d e f g", False), ("x" * 65, False)]
)
def test_a_harmless_request_id_is_kept_and_another_replaced(api: Api, given: str, is_kept: bool) -> None:
    answer = api.stranger().get("/v1/methods", headers={"X-Request-ID": given})
    assert (answer.headers["x-request-id"] == given) is is_kept
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_the_access_log_knows_the_caller_and_no_secret(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    key = api.key()
    headers = ONNX | {"Authorization": f"Bearer {key}"}
    api.stranger().post("/v1/models?name=confidential", content=b"a model", headers=headers)
    logged = capsys.readouterr().err
    assert key.split("_")[1] in logged
    assert "acme" in logged
    assert key.split("_")[2] not in logged
    assert "confidential" not in logged


def test_methods_are_the_registry(caller: TestClient) -> None:
    listed = caller.get("/v1/methods").json()
    assert [row["name"] for row in listed] == [method.name for method in METHODS]
    assert all(row["params_schema"]["properties"]["name"]["const"] == row["name"] for row in listed)


# python -m service.keys


@dataclass(frozen=True)
class Tool:
    status: int
    out: str
    err: str


@pytest.fixture
def tool(api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Tool]:
    monkeypatch.setenv("BRINELL_REDIS_URL", api.settings.redis_url)

    def run(*arguments: str) -> Tool:
        capsys.readouterr()
        try:
            status = keys.main(list(arguments))
        except SystemExit as end:  # argparse's way
            status = int(str(end.code))
        return Tool(status, *capsys.readouterr())

    return run


def test_a_key_made_by_the_tool_opens_what_its_scopes_say_until_it_is_revoked(
    api: Api, tool: Callable[..., Tool]
) -> None:
    made = json.loads(tool("create", "--tenant", "acme", "--scope", "jobs:read", "--json").out)
    client = api.stranger()
    client.headers["Authorization"] = f"Bearer {made['key']}"
    assert client.get("/v1/jobs").status_code == 200
    assert client.get("/v1/models").status_code == 403
    listed = tool("list", "--json")
    assert [row["id"] for row in json.loads(listed.out)] == [made["id"]]
    assert made["key"].split("_")[2] not in listed.out
    assert "hash" not in listed.out
    assert tool("revoke", made["id"]).status == 0
    assert client.get("/v1/jobs").status_code == 401


def test_without_scopes_a_key_gets_all_and_is_all_that_is_printed(api: Api, tool: Callable[..., Tool]) -> None:
    printed = tool("create", "--tenant", "acme").out
    client = api.stranger()
    client.headers["Authorization"] = f"Bearer {printed.strip()}"
    assert [client.get(f"/v1/{kind}").status_code for kind in ("models", "samples", "jobs")] == [200] * 3
    assert "never used" not in tool("list").out
    assert "acme" in tool("list").out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("create",), 4),
        (("create", "--tenant", "a:b"), 4),
        (("create", "--tenant", "acme", "--scope", "everything"), 4),
        (("revoke", "nobody"), 2),
    ],
)
def test_the_tool_says_in_a_line_what_it_cannot_do(
    tool: Callable[..., Tool], arguments: tuple[str, ...], status: int
) -> None:
    done = tool(*arguments)
    assert done.status == status
    assert len(done.err.strip().splitlines()) == 1
    assert done.out == ""


def test_the_tool_without_its_redis_ends_with_a_sentence(
    tool: Callable[..., Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRINELL_REDIS_URL", "redis://127.0.0.1:1/0")
    done = tool("list")
    assert (done.status, done.out) == (2, "")
    assert done.err.endswith("try again shortly.\n")


def test_the_process_serves_stays_small_and_ends_when_told(api: Api) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "BRINELL_REDIS_URL": api.settings.redis_url,
        "BRINELL_LIBRARY": api.settings.library,
    }
    command = [sys.executable, "-m", "service.main", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        answer = _first_answer(f"http://127.0.0.1:{port}/healthz")
        resident = int(re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())[0])
    finally:
        process.terminate()
        _, logged = process.communicate(timeout=PATIENCE_SECONDS)
    assert answer == {"status": "alive"}
    assert resident < 150 * 1024
    lines = [json.loads(line) for line in logged.splitlines()]  # uvicorn's too
    assert [line["path"] for line in lines if line["event"] == "request"] == ["/healthz"]


def _first_answer(url: str) -> Any:
    def answer() -> Any:
        with suppress(urllib.error.URLError), urllib.request.urlopen(url) as answered:
            return json.load(answered)
        return None

    return until(answer, what="the API")
