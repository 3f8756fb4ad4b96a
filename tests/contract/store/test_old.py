"""What version 0.1.0 left in Redis is rewritten when it is first met, and read as it was."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from algorithms.errors import NotFound
from audits.document.report import Report
from audits.store import Audits
from jobs.idempotency import Idempotency
from jobs.store.layouts import layout
from jobs.store.layouts.layout import LAYOUT, OtherLayout
from jobs.store.sections.keys import KeyRecord
from jobs.store.store import Store
from jobs.summary import Preparation
from jobs.work.lease import Commit
from tests.jobs_for_tests import MakeStore, digest, inspected, result, taken

OLD = Path(__file__).parent / "old"
TENANT = "tests"
TIMES = {"leases", "sent", "deadlines", "expiries"}  # sorted by times, which the file tells from its own present


@pytest.fixture
def ids(server: "redis.Redis[str]") -> dict[str, str]:
    """Puts everything that 0.1.0 had kept back into Redis; the names of what is there."""
    head, *kept = (json.loads(line) for line in (OLD / "version_0_1_0.jsonl").read_text().splitlines())
    seconds, microseconds = server.time()
    for line in kept:
        _restore(server, line, now=1000 * seconds + microseconds // 1000)
    return dict(head["ids"])


def _restore(server: "redis.Redis[str]", line: dict[str, Any], *, now: int) -> None:
    name, value = "{brinell}:" + line["key"], line["value"]
    match line["type"]:
        case "hash":
            server.hset(name, mapping=value)
        case "set":
            server.sadd(name, *value)
        case "zset":
            server.zadd(name, {member: score + (now if line["key"] in TIMES else 0) for member, score in value})
        case "string":
            server.set(name, value)
    if line.get("ttl"):
        server.expire(name, 3600)


def test_keys_cards_samples_and_ended_jobs_are_read_as_they_were(store: Store, ids: dict[str, str]) -> None:
    (key,) = store.keys.all()
    assert isinstance(key, KeyRecord) and (key.tenant, key.name) == (TENANT, "laptop") and key.last_used_at
    states = {
        name: store.models.get(TENANT, ids[name]).state for name in ("model", "refused", "endpoint", "inspecting")
    }
    assert states == {"model": "ready", "refused": "refused", "endpoint": "unverified", "inspecting": "inspecting"}
    assert [card.count for card in store.samples.page(TENANT).items] == [20, 200]
    found = {name: store.jobs.get(TENANT, ids[name]) for name in ("clever", "pgd", "spanning", "failed", "cancelled")}
    assert [job.state for job in found.values()] == [*["succeeded"] * 3, "failed", "cancelled"]
    assert found["clever"].summary.counts == {"estimate": 2} and found["spanning"].summary.prepare is not None
    assert found["failed"].error.detail == "It crashed."
    findings = store.findings.page(TENANT, ids["pgd"]).items
    assert [(finding.kind, finding.index) for finding in findings] == [("upper_bound", n) for n in range(3)]
    whole = store.findings.get(TENANT, ids["pgd"], 0)
    assert (whole.value, whole.curve_seconds) == (findings[0].value, None)  # of before there were such seconds
    assert len(store.findings.adversarial_digests(TENANT, ids["pgd"])) == 2
    assert store.jobs.shape(TENANT, ids["pgd"]) == (1, 8, 8)


def test_specs_are_whole_and_kept_once(store: Store, ids: dict[str, str], server: "redis.Redis[str]") -> None:
    spec = store.jobs.spec(TENANT, ids["spanning"])
    assert (spec.model.id, spec.samples.id, spec.auxiliary.id) == (ids["model"], ids["samples"], ids["auxiliary"])
    assert (spec.request.method.name, spec.indices, spec.chunk_size) == ("hopskipjump", (0,), 2)
    kept = [server.hget(name, "spec") for name in server.scan_iter("{brinell}:t:*:job:*") if name.count(":") == 4]
    assert len(kept) > 15 and not any("sha256" in (spec or "") for spec in kept)


def test_ended_audits_and_their_reports_are_read_as_they_were(store: Store, ids: dict[str, str]) -> None:
    audits = Audits(store)
    ended, cancelled = audits.get(TENANT, ids["audit"]), audits.get(TENANT, ids["preset_audit"])
    assert (ended.state, ended.verdict, cancelled.state) == ("succeeded", "pass", "cancelled")
    assert [job.method for job in ended.jobs] == ["pgd", "clever", "smoothing"]
    assert [skip.method for skip in audits.spec(TENANT, ids["audit"]).skipped] == ["nearest_neighbor"]
    assert audits.verdict(TENANT, ids["audit"]).rules[0].name == "accurate"
    assert set(audits.report_forms(TENANT, ids["audit"])) == {"json", "html", "markdown", "junit"}
    assert len(audits.page(TENANT).items) == 3
    report = Report.model_validate_json((OLD / "version_0_1_0_report.json").read_bytes())
    assert report.audit_id.startswith("aud_") and len(report.samples) == 3


def test_jobs_under_way_go_on_where_they_were(store: Store, ids: dict[str, str], server: "redis.Redis[str]") -> None:
    job_id = ids["running"]
    assert store.leases.acquire(job_id, 1) is None, "its worker may hold it for a lease longer"
    server.zadd("{brinell}:leases", {f"{job_id}/1": 1})  # that was long ago
    store.moves.reap()
    lease = taken(store, job_id, 1)
    assert (lease.attempt, lease.indices) == (2, (2, 3))
    assert store.leases.commit(lease, Commit(result=result(lease.indices)))
    assert [finding.index for finding in store.findings.page(TENANT, job_id).items] == [0, 1, 2, 3]
    assert store.jobs.get(TENANT, job_id).summary.queries.total == 22 + 4
    inspection = taken(store, ids["inspecting"])
    assert inspection.work == "inspect"
    assert store.leases.commit(inspection, inspected(inspection))
    assert store.models.get(TENANT, ids["inspecting"]).state == "ready"


def test_a_job_that_waited_to_be_prepared_is_prepared_and_then_computed(store: Store, ids: dict[str, str]) -> None:
    job_id = ids["unprepared"]
    lease = taken(store, job_id)
    assert lease.work == "prepare" and lease.spec.auxiliary.id == ids["auxiliary"]
    made = Preparation(artifact=digest("d"), seconds=1.0)
    assert store.leases.commit(lease, Commit(fields={"prepared": made.model_dump_json()}, digests=(made.artifact,)))
    lease = taken(store, job_id)
    assert (lease.work, lease.prepared) == ("run", made)
    assert store.leases.commit(lease, Commit(result=result(lease.indices)))
    assert store.jobs.get(TENANT, job_id).summary.prepare == made


def test_an_audit_under_way_comes_to_its_report(store: Store, ids: dict[str, str], server: "redis.Redis[str]") -> None:
    audit = ids["running_audit"]
    for job in Audits(store).get(TENANT, audit).jobs:
        store.jobs.cancel(TENANT, ids["queued"])  # there is room for the next
        store.jobs.cancel(TENANT, ids["unprepared"])
        lease = taken(store, job.job_id)
        assert store.leases.commit(lease, Commit(result=result(lease.indices)))
    assert taken(store, audit).work == "report"
    assert not list(server.scan_iter("*:run")) and not list(server.scan_iter("*:inspect"))


def test_what_was_made_with_an_idempotency_key_is_not_made_again(store: Store, ids: dict[str, str]) -> None:
    assert store.objects.replayed(TENANT, Idempotency("POST /v1/audits k", "print")) == ids["audit"]


def test_what_was_kept_can_be_removed(store: Store, ids: dict[str, str]) -> None:
    Audits(store).remove(TENANT, ids["audit"])
    with pytest.raises(NotFound):
        Audits(store).get(TENANT, ids["audit"])


def test_processes_that_start_together_rewrite_once(
    make_store: MakeStore, ids: dict[str, str], server: "redis.Redis[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    rewritten = []

    def rewrite(client: Any) -> None:
        rewritten.append(client)
        layout.layout_1.rewrite(client)

    monkeypatch.setitem(layout.REWRITES, 1, rewrite)
    stores = [make_store() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda store: store.jobs.get(TENANT, ids["pgd"]).state, stores))
    assert read == ["succeeded"] * 4 and len(rewritten) == 1
    assert (server.get("{brinell}:layout"), server.get("{brinell}:layout:lock")) == (str(LAYOUT), None)


def test_a_rewrite_that_died_half_way_is_done_again(
    store: Store, ids: dict[str, str], server: "redis.Redis[str]"
) -> None:
    first = f"{{brinell}}:t:{TENANT}:job:{ids['pgd']}"
    half = json.loads(server.hget(first, "spec") or "")
    layout.layout_1.rewrite(server)
    assert server.get("{brinell}:layout") is None
    assert "model" in half and "model" not in json.loads(server.hget(first, "spec") or "")
    assert store.jobs.get(TENANT, ids["pgd"]).state == "succeeded"
    assert server.get("{brinell}:layout") == str(LAYOUT)


def test_a_lock_that_lapsed_and_is_anothers_by_then_is_left_alone(
    store: Store, ids: dict[str, str], server: "redis.Redis[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, held = "{brinell}:layout:lock", []

    def rewrite(client: Any) -> None:
        held.append((client.get(lock), client.ttl(lock)))
        layout.layout_1.rewrite(client)
        client.set(lock, "another's", ex=60)  # ours lapsed meanwhile, and another process began

    monkeypatch.setitem(layout.REWRITES, 1, rewrite)
    assert store.jobs.get(TENANT, ids["pgd"]).state == "succeeded"
    ((token, seconds),) = held
    assert len(token) > 16 and 0 < seconds <= layout.LOCK_SECONDS
    assert server.get(lock) == "another's"


def test_an_empty_redis_has_our_layout_from_the_start(store: Store, server: "redis.Redis[str]") -> None:
    store.ping()
    assert server.get("{brinell}:layout") == str(LAYOUT)


def test_a_newer_layout_is_refused_by_every_method_with_a_sentence(store: Store, server: "redis.Redis[str]") -> None:
    server.set("{brinell}:layout", LAYOUT + 1)
    for attempt in (store.ping, store.moves.reap, store.keys.all, lambda: store.jobs.get(TENANT, "job_a")):
        with pytest.raises(OtherLayout) as error:
            attempt()
        assert "newer version" in error.value.detail and "BRINELL_REDIS_URL" in error.value.detail
    assert server.get("{brinell}:layout") == str(LAYOUT + 1)
    server.flushall()  # others go on with this server as it is
