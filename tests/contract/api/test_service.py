"""What surrounds the calls: health, readiness, metrics, headers, logs, the key tool, methods."""

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest
from fastapi.testclient import TestClient

from algorithms.registry import METHODS
from tests.contract.api.conftest import ONNX, Api
from tests.contract.api.test_problems import problem_of


def beat(api: Api, kind: Any = "compute") -> None:
    api.store.worker_beat(f"worker-{kind}", kind, {"isolation": "basic"})


def test_an_alive_process_says_so(api: Api) -> None:
    assert api.stranger().get("/healthz").json() == {"status": "alive"}


def test_ready_needs_a_compute_worker_and_names_the_isolation(api: Api) -> None:
    stranger = api.stranger()
    beat(api, "probe")
    missing = stranger.get("/readyz")
    assert "compute worker" in problem_of(missing, "unavailable").detail
    assert int(missing.headers["retry-after"]) >= 1
    beat(api)
    ready = stranger.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "workers": {"compute": 1, "probe": 1}, "isolation": "basic"}


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
    logged = capsys.readouterr().out
    assert key.split("_")[1] in logged
    assert "acme" in logged
    assert key.split("_")[2] not in logged
    assert "confidential" not in logged


def test_methods_are_the_registry(caller: TestClient) -> None:
    listed = caller.get("/v1/methods").json()
    assert [row["name"] for row in listed] == [method.name for method in METHODS]
    assert all(row["params_schema"]["properties"]["name"]["const"] == row["name"] for row in listed)


# python -m service.keys


def keys(api: Api, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"BRINELL_REDIS_URL": api.settings.redis_url}
    command = [sys.executable, "-m", "service.keys", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_key_made_by_the_tool_opens_what_its_scopes_say_until_it_is_revoked(api: Api) -> None:
    made = json.loads(keys(api, "create", "--tenant", "acme", "--scope", "jobs:read", "--json").stdout)
    client = api.stranger()
    client.headers["Authorization"] = f"Bearer {made['key']}"
    assert client.get("/v1/jobs").status_code == 200
    assert client.get("/v1/models").status_code == 403
    listed = keys(api, "list", "--json")
    assert [row["id"] for row in json.loads(listed.stdout)] == [made["id"]]
    assert made["key"].split("_")[2] not in listed.stdout
    assert "hash" not in listed.stdout
    assert keys(api, "revoke", made["id"]).returncode == 0
    assert client.get("/v1/jobs").status_code == 401


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("create",), 4),
        (("create", "--tenant", "a:b"), 4),
        (("create", "--tenant", "acme", "--scope", "everything"), 4),
        (("revoke", "nobody"), 2),
    ],
)
def test_the_tool_says_in_a_line_what_it_cannot_do(api: Api, arguments: tuple[str, ...], status: int) -> None:
    done = keys(api, *arguments)
    assert done.returncode == status
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_the_tool_without_its_redis_ends_with_a_sentence() -> None:
    environment = os.environ | {"BRINELL_REDIS_URL": "redis://127.0.0.1:1/0"}
    command = [sys.executable, "-m", "service.keys", "list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
