"""An audit and its jobs live and end together; the last job's end wakes the one who writes the report."""

import json

import pytest
import redis

from algorithms.errors import Conflict, NotFound, Refused
from audits.document.summary import AuditSummary
from audits.document.verdict import Verdict
from audits.store import REPORT_SHARE, Audits
from jobs.idempotency import Idempotency
from jobs.installation.settings import Settings
from jobs.record import Progress
from jobs.result import ChunkResult
from jobs.states import JobState
from jobs.store.store import Store
from jobs.work.lease import AuditLease, Commit, Lease
from jobs.work.queue import Dispatch
from tests.contract.store.passing import After
from tests.jobs_for_tests import MakeStore, NotedLibrary, NotedQueue, Upload, commit_all, digest, result, taken
from tests.reports_for_tests import report

VERDICT = Verdict(verdict="pass")
SUMMARY: AuditSummary = report().summary


def report_with(letter: str) -> Commit:
    """What the commit of a report brings."""
    told = {"verdict": VERDICT.model_dump_json(), "summary": SUMMARY.model_dump_json()}
    return Commit(fields={**told, "forms": json.dumps({"json": digest(letter)})}, digests=(digest(letter),))


def jobs_of(store: Store, audit: str) -> list[str]:
    return [job.job_id for job in Audits(store).get("lab", audit).jobs]


def state_of(store: Store, audit: str) -> str:
    return Audits(store).get("lab", audit).state


def all_but_the_report(store: Store, audit: str) -> Lease:
    """All jobs succeed; the lease of the report."""
    for job in jobs_of(store, audit):
        commit_all(store, job)
    return taken(store, audit)


def test_an_audit_is_its_jobs_made_in_one_move(store: Store, upload: Upload, audits: Audits) -> None:
    audit = audits.get("lab", upload.audit())
    assert [job.method for job in audit.jobs] == ["pgd", "clever"]
    assert audit.state == "queued" and audit.progress.samples_total == 20 and not audit.report_ready
    assert {job.id for job in store.jobs.page("lab").items} == {job.job_id for job in audit.jobs}


def test_the_last_jobs_end_wakes_a_worker_for_the_report_and_nothing_before_does(
    store: Store, upload: Upload, queue: NotedQueue, audits: Audits
) -> None:
    audit = upload.audit()
    first, last = jobs_of(store, audit)
    commit_all(store, first)
    assert store.leases.acquire(audit, 0) is None
    before = store.objects.version("lab", audit)
    queue.sent()
    for lease in [taken(store, last, chunk) for chunk in range(5)]:
        store.leases.commit(lease, Commit(result=result_of(lease)))
    assert queue.sent() == [Dispatch("compute", audit, 0)]
    assert store.objects.version("lab", audit) > before
    assert state_of(store, audit) == "running"
    assert audits.get("lab", audit).progress.fraction == pytest.approx(1 - REPORT_SHARE)


def test_an_audit_is_not_expected_to_end_before_its_slowest_job(
    store: Store, upload: Upload, audits: Audits, after: After
) -> None:
    """The pace of what is done says that half the time is over; the job that is left says more."""
    audit = upload.audit()
    quick, slow = jobs_of(store, audit)
    commit_all(store, quick)
    lease = taken(store, slow, 0)
    after(60)
    store.leases.beat(lease, Progress(samples_total=2, fraction=0.01))
    job, whole = store.jobs.get("lab", slow).progress.eta_seconds, audits.get("lab", audit).progress.eta_seconds
    assert job and whole and whole >= job > 1


def result_of(lease: Lease) -> ChunkResult:
    return result(lease.indices)


def test_the_report_ends_the_audit_and_holds_its_bytes(
    store: Store, upload: Upload, library: NotedLibrary, audits: Audits
) -> None:
    audit = upload.audit()
    lease = all_but_the_report(store, audit)
    assert (lease.work, type(lease)) == ("report", AuditLease)
    assert store.leases.commit(lease, report_with("e"))
    assert not library.deleted()
    ended = audits.get("lab", audit)
    assert (ended.state, ended.verdict, ended.summary, ended.report_ready) == ("succeeded", "pass", SUMMARY, True)
    assert ended.progress.fraction == 1 and ended.finished_at is not None
    assert audits.report_forms("lab", audit) == {"json": digest("e")}
    assert audits.verdict("lab", audit) == VERDICT
    audits.remove("lab", audit)
    assert digest("e") in library.deleted()


def test_a_report_is_written_under_a_lease_and_only_once(
    make_store: MakeStore, queue: NotedQueue, after: After
) -> None:
    store = make_store(max_attempts=2)
    audit = Upload(store).audit()
    late = all_but_the_report(store, audit)
    queue.sent()
    after(1.3 * Settings().lease_seconds)
    again = retaken(store, queue, audit)
    assert store.leases.commit(late, report_with("e")) is False
    assert store.leases.commit(again, report_with("f")) is True
    assert Audits(store).report_forms("lab", audit) == {"json": digest("f")}


def retaken(store: Store, queue: NotedQueue, audit: str) -> Lease:
    store.moves.reap()
    assert [d.job_id for d in queue.sent()] == [audit]
    return taken(store, audit)


def test_a_report_that_nobody_can_write_fails_the_audit(make_store: MakeStore) -> None:
    store = make_store(max_attempts=2)
    audit = Upload(store).audit()
    lease = all_but_the_report(store, audit)
    store.leases.fail(lease, "internal", "It broke.", retry=True)
    store.leases.fail(taken(store, audit), "internal", "It broke.", retry=True)
    ended = Audits(store).get("lab", audit)
    assert ended.state == "failed" and ended.error is not None and ended.error.code == "internal"
    assert Audits(store).verdict("lab", audit) == Verdict(verdict=None)


def test_one_failed_job_does_not_fail_the_audit(store: Store, upload: Upload) -> None:
    audit = upload.audit()
    first, last = jobs_of(store, audit)
    store.leases.fail(taken(store, first), "model_fault", "It crashed.", retry=False)
    commit_all(store, last)
    assert taken(store, audit).work == "report"


def test_an_audit_whose_jobs_all_failed_fails_with_their_reason(store: Store, upload: Upload, audits: Audits) -> None:
    audit = upload.audit()
    for job in jobs_of(store, audit):
        store.leases.fail(taken(store, job), "model_fault", "It crashed.", retry=False)
    ended = audits.get("lab", audit)
    assert ended.state == "failed" and ended.error is not None
    assert (ended.error.code, ended.error.detail) == ("model_fault", "It crashed.")


def test_cancelling_an_audit_cancels_its_jobs_and_ends_with_the_last(
    store: Store, upload: Upload, audits: Audits
) -> None:
    audit = upload.audit()
    running, waiting = jobs_of(store, audit)
    lease = taken(store, running)
    cancelled = audits.cancel("lab", audit)
    assert cancelled.state == "running"
    assert store.jobs.get("lab", waiting).state == "cancelled"
    store.leases.commit(lease, Commit(result=result_of(lease)))
    assert store.jobs.get("lab", running).state == "cancelled"
    assert state_of(store, audit) == "cancelled"
    assert audits.cancel("lab", audit).state == "cancelled"
    assert audits.get("lab", audit).progress.fraction <= 0.5, "the waiting job never began"


def test_an_audit_can_be_cancelled_while_its_report_is_written(store: Store, upload: Upload, audits: Audits) -> None:
    audit = upload.audit()
    lease = all_but_the_report(store, audit)
    assert audits.cancel("lab", audit).state == "cancelled"
    assert store.leases.commit(lease, report_with("e")) is False
    assert {store.jobs.get("lab", job).state for job in jobs_of(store, audit)} == {JobState.SUCCEEDED}


def test_a_job_of_an_audit_cannot_be_taken_out_of_it(store: Store, upload: Upload) -> None:
    audit = upload.audit()
    all_but_the_report(store, audit)
    for job in jobs_of(store, audit):
        with pytest.raises(Conflict) as refused:
            store.jobs.remove("lab", job)
        assert refused.value.code == "in_use"


def test_model_and_samples_are_in_use_until_the_report_is_written(store: Store, upload: Upload) -> None:
    audit = upload.audit()
    lease = all_but_the_report(store, audit)
    with pytest.raises(Conflict):
        store.samples.remove("lab", upload.samples.id)
    store.leases.commit(lease, report_with("e"))
    store.samples.remove("lab", upload.samples.id)
    store.models.remove("lab", upload.model.id)


@pytest.mark.parametrize("when", ["queued", "running", "reporting", "ended"])
def test_removing_an_audit_removes_its_jobs_and_leaves_nothing(
    store: Store, upload: Upload, when: str, audits: Audits, server: "redis.Redis[str]"
) -> None:
    audit = upload.audit()
    jobs = jobs_of(store, audit)
    if when == "running":
        taken(store, jobs[0])
    elif when != "queued":
        lease = all_but_the_report(store, audit)
        if when == "ended":
            store.leases.commit(lease, report_with("e"))
    audits.remove("lab", audit)
    assert store.jobs.page("lab").items == () and audits.page("lab").items == ()
    for job in jobs:
        with pytest.raises(NotFound):
            store.jobs.get("lab", job)
    store.models.remove("lab", upload.model.id)
    store.samples.remove("lab", upload.samples.id)
    kept = [name for name in server.keys("*") if audit in name or any(job in name for job in jobs)]
    assert kept == []


def test_an_audit_and_its_jobs_are_forgotten_together(
    make_store: MakeStore, library: NotedLibrary, after: After
) -> None:
    store = make_store(result_ttl_seconds=100, lease_seconds=1000)
    audit = Upload(store).audit()
    lease = all_but_the_report(store, audit)
    after(120)
    store.moves.reap()
    assert len(jobs_of(store, audit)) == 2, "the audit lives, so its jobs do"
    store.leases.commit(lease, report_with("e"))
    after(120)
    store.moves.reap()
    assert library.deleted() == [digest("e")]
    assert store.jobs.page("lab").items == () and Audits(store).page("lab").items == ()


def test_the_same_idempotency_key_makes_one_audit(store: Store, upload: Upload, audits: Audits) -> None:
    plan = upload.plan(recipe=[{"name": "pgd"}])
    key = Idempotency("k", "print")
    first, again = audits.create("lab", plan, key), audits.create("lab", plan, key)
    assert first == again and len(store.jobs.page("lab").items) == 1
    with pytest.raises(Refused) as reused:
        audits.create("lab", plan, Idempotency("k", "other"))
    assert reused.value.code == "idempotency_key_reused"


def test_a_job_that_moves_changes_the_version_of_its_audit(store: Store, upload: Upload, audits: Audits) -> None:
    audit = upload.audit()
    versions = [store.objects.version("lab", audit)]
    lease = taken(store, jobs_of(store, audit)[0])
    versions.append(store.objects.version("lab", audit))
    store.leases.commit(lease, Commit(result=result_of(lease)))
    versions.append(store.objects.version("lab", audit))
    assert versions == sorted(set(versions))
    assert audits.get("lab", audit).started_at is not None


def test_the_baselines_report_lives_as_long_as_whoever_is_compared_with_it(
    store: Store, upload: Upload, library: NotedLibrary, audits: Audits
) -> None:
    first, without = upload.audit(), store.usage.of("lab").stored_bytes.used
    lease = all_but_the_report(store, first)
    store.holdings.hold("lab", first, digest("e"), 50)
    store.leases.commit(lease, report_with("e"))
    second = upload.audit(baseline=digest("e"), baseline_audit_id=first)
    assert store.usage.of("lab").stored_bytes.used == without + 100, "it counts for each of them"
    audits.remove("lab", first)
    assert library.deleted() == []
    assert store.usage.of("lab").stored_bytes.used == without + 50
    audits.remove("lab", second)
    assert digest("e") in library.deleted()


def test_a_baseline_that_went_since_the_admission_is_missing(store: Store, upload: Upload, audits: Audits) -> None:
    first = upload.audit()
    store.leases.commit(all_but_the_report(store, first), report_with("e"))
    plan = upload.plan(baseline=digest("e"), baseline_audit_id=first)
    audits.remove("lab", first)
    with pytest.raises(NotFound):
        audits.create("lab", plan)
    assert audits.page("lab").items == ()
