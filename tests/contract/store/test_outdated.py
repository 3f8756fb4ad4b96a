"""What another version took, with a method or a parameter that is gone by now, is shown; nothing is computed of it."""

import json
from typing import Any

import pytest
import redis

from audits.store import Audits
from jobs.installation.settings import Settings
from jobs.store.store import Store
from tests.jobs_for_tests import Upload, commit_all

GONE = {
    "a method": {"name": "phlogiston", "heat": 3},
    "a parameter": {"name": "clever", "preset": "quick", "heat": 3},
}


@pytest.fixture(params=GONE)
def method(request: pytest.FixtureRequest) -> dict[str, Any]:
    return GONE[request.param]


def _taken_by_another_version(server: "redis.Redis[str]", name: str, change: dict[str, Any]) -> dict[str, Any]:
    asked = json.loads(server.hget(name, "request") or "") | change
    server.hset(name, "request", json.dumps(asked))
    return dict(asked)


def test_an_ended_job_is_listed_and_shown(
    store: Store, upload: Upload, server: "redis.Redis[str]", method: dict[str, Any]
) -> None:
    job_id, other = upload.job(), upload.job()
    commit_all(store, job_id)
    asked = _taken_by_another_version(server, f"{{brinell}}:t:lab:job:{job_id}", {"method": method})
    shown = store.jobs.get("lab", job_id).model_dump(mode="json")
    assert (shown["state"], shown["request"]) == ("succeeded", asked)
    assert shown["method"]["name"] == method["name"] and shown["method"]["params"]["heat"] == 3
    assert shown["links"]["model"] == f"/v1/models/{upload.model.id}"
    assert [job.id for job in store.jobs.page("lab").items] == [other, job_id]
    assert len(store.findings.page("lab", job_id).items) == 10


def test_an_audit_is_listed_and_shown(
    store: Store, audits: Audits, upload: Upload, server: "redis.Redis[str]", method: dict[str, Any]
) -> None:
    audit_id = upload.audit()
    asked = _taken_by_another_version(server, f"{{brinell}}:t:lab:audit:{audit_id}", {"recipe": [method]})
    shown = audits.get("lab", audit_id).model_dump(mode="json")
    assert shown["request"] == asked and shown["links"]["samples"] == f"/v1/samples/{upload.samples.id}"
    assert [audit.id for audit in audits.page("lab").items] == [audit_id]


def test_a_job_that_waited_fails_with_a_sentence(
    store: Store, upload: Upload, server: "redis.Redis[str]", method: dict[str, Any]
) -> None:
    job_id = upload.job()
    _taken_by_another_version(server, f"{{brinell}}:t:lab:job:{job_id}", {"method": method})
    for _ in range(Settings().max_attempts):
        assert store.jobs.get("lab", job_id).state in ("queued", "running")
        assert store.leases.acquire(job_id, 0) is None
    job = store.jobs.get("lab", job_id)
    assert (job.state, job.error.code) == ("failed", "outdated")
    assert "is gone. Ask again" in job.error.detail


def test_a_job_that_waited_is_not_run_by_another_version_of_its_method(
    store: Store, upload: Upload, server: "redis.Redis[str]"
) -> None:
    job_id = upload.job()
    name = f"{{brinell}}:t:lab:job:{job_id}"
    spec = json.loads(server.hget(name, "spec") or "") | {"method_version": "0"}
    server.hset(name, "spec", json.dumps(spec))
    for _ in range(Settings().max_attempts):
        assert store.leases.acquire(job_id, 0) is None
    job = store.jobs.get("lab", job_id)
    assert (job.state, job.error.code) == ("failed", "outdated")
