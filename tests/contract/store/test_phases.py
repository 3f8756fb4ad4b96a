"""The end of a phase's last job leads to the next phase's jobs, once, whatever dies or is cancelled in between."""

import io
import random
from collections.abc import Callable

import numpy as np
import pytest
import redis

from algorithms.seam.claims import Kind
from audits.store import Audits
from jobs.hints import unpacked
from jobs.spec import JobSpec
from jobs.states import JobState
from jobs.store.names import key
from jobs.store.store import Store
from jobs.work.lease import Commit, JobLease, Lease
from tests.contract.store.test_audits import jobs_of, report_with, state_of
from tests.jobs_for_tests import (
    SHAPE,
    MakeStore,
    NotedLibrary,
    Upload,
    commit_all,
    finding,
    result,
    taken,
)
from workers.advancing import next_phase

FIRST = ["noise", "square", "hopskipjump", "smoothing", "fab", "clever", "steepest"]
SECOND = ["pgd"]
THIRD = ["fmn"]


@pytest.fixture
def audit(upload: Upload) -> str:
    """An audit of three phases."""
    return upload.audit(recipe="quick-2")


def methods_of(store: Store, audit: str) -> list[str]:
    return [job.method for job in Audits(store).get("lab", audit).jobs]


def first_phase_done(store: Store, audit: str) -> Lease:
    """The lease of what follows."""
    for job in jobs_of(store, audit):
        commit_all(store, job)
    return taken(store, audit)


def second_phase(store: Store, library: NotedLibrary, audit: str) -> tuple[JobSpec, ...]:
    """As a worker makes it."""
    return next_phase(
        "lab", audit, store=store, library=library, keep=lambda data: store.holdings.put("lab", audit, data)
    )


@pytest.fixture
def advance(store: Store, library: NotedLibrary) -> Callable[[str, Lease], bool]:
    def commit(audit: str, lease: Lease) -> bool:
        return store.leases.commit(lease, Commit(jobs=second_phase(store, library, audit)))

    return commit


def test_the_jobs_of_a_later_phase_are_made_when_it_begins(store, audits, audit, advance, queue):
    assert methods_of(store, audit) == FIRST
    lease = first_phase_done(store, audit)
    assert (lease.work, methods_of(store, audit)) == ("advance", FIRST)
    half = audits.get("lab", audit).progress.fraction
    assert half == pytest.approx(0.99 * len(FIRST) / len(FIRST + SECOND + THIRD)), (
        "what is not made yet counts as not begun"
    )
    queue.sent()
    assert advance(audit, lease)
    assert methods_of(store, audit) == FIRST + SECOND
    made = jobs_of(store, audit)[len(FIRST) :]
    assert {dispatch.job_id for dispatch in queue.sent()} == set(made)
    assert state_of(store, audit) == "running" and store.leases.acquire(audit, 0) is None


def test_the_last_phase_leads_to_the_report(store, audits, audit, advance, library, server: "redis.Redis[str]"):
    advance(audit, first_phase_done(store, audit))
    for phase in (SECOND, THIRD):
        for job in jobs_of(store, audit)[-len(phase) :]:
            commit_all(store, job)
        lease = taken(store, audit)
        assert lease.work == ("report" if phase is THIRD else "advance")
        assert phase is THIRD or advance(audit, lease)
    assert methods_of(store, audit) == FIRST + SECOND + THIRD
    assert store.leases.commit(lease, report_with("e"))
    assert state_of(store, audit) == "succeeded"
    audits.remove("lab", audit)
    assert [name for name in server.keys("*") if audit in name] == []


def test_a_phase_with_nothing_left_to_try_is_passed(store, audits, audit, advance):
    advance(audit, first_phase_done(store, audit))
    commit_all(store, jobs_of(store, audit)[-1])
    lease = taken(store, audit)
    assert lease.work == "advance" and store.leases.commit(lease, Commit(jobs=()))
    assert methods_of(store, audit) == FIRST + SECOND
    report = taken(store, audit)
    assert report.work == "report" and store.leases.commit(report, report_with("e"))
    assert state_of(store, audit) == "succeeded"


def test_whoever_was_late_in_one_phase_writes_nothing_in_the_next(store, audit, library, server):
    """Its fence is one of the same unit, and was passed."""
    late = first_phase_done(store, audit)
    server.zadd(key("leases"), {f"{audit}/0": 1})  # it has not beaten for long
    store.moves.reap()
    again = taken(store, audit)
    made = second_phase(store, library, audit)
    assert store.leases.commit(late, Commit(jobs=made)) is False
    assert store.leases.commit(again, Commit(jobs=made)) is True
    assert store.leases.commit(again, Commit(jobs=made)) is False, "once"
    assert methods_of(store, audit) == FIRST + SECOND
    for job in jobs_of(store, audit)[len(FIRST) :]:
        commit_all(store, job)
    report = taken(store, audit)
    for old in (late, again):
        assert store.leases.commit(old, Commit(jobs=made)) is False
    assert report.fence > again.fence > late.fence


def test_a_phase_that_nobody_can_begin_fails_the_audit_and_keeps_what_was_found(make_store: MakeStore):
    store = make_store(max_attempts=2)
    audit = Upload(store).audit(recipe="quick-2")
    lease = first_phase_done(store, audit)
    store.leases.fail(lease, "internal", "It broke.", retry=True)
    store.leases.fail(taken(store, audit), "internal", "It broke.", retry=True)
    assert state_of(store, audit) == "failed"
    assert {store.jobs.get("lab", job).state for job in jobs_of(store, audit)} == {JobState.SUCCEEDED}


def test_an_audit_can_be_cancelled_between_two_phases(store, audits, audit, advance):
    lease = first_phase_done(store, audit)
    assert audits.cancel("lab", audit).state == "cancelled"
    assert advance(audit, lease) is False
    assert methods_of(store, audit) == FIRST


def test_an_audit_that_is_cancelled_in_its_first_phase_begins_no_second(store, audits, audit):
    running = taken(store, jobs_of(store, audit)[0])
    audits.cancel("lab", audit)
    assert isinstance(running, JobLease)
    store.leases.commit(running, Commit(result=result(running.indices)))
    assert state_of(store, audit) == "cancelled" and methods_of(store, audit) == FIRST


def test_one_that_is_cancelled_in_its_second_phase_ends_with_the_last_job_of_it(store, audits, audit, advance):
    advance(audit, first_phase_done(store, audit))
    running = taken(store, jobs_of(store, audit)[len(FIRST)])
    assert audits.cancel("lab", audit).state == "running"
    assert isinstance(running, JobLease)
    store.leases.commit(running, Commit(result=result(running.indices)))
    assert state_of(store, audit) == "cancelled"


@pytest.mark.parametrize("when", ["between", "later"])
def test_removing_an_audit_of_phases_leaves_nothing(store, upload, audits, audit, advance, when, server):
    lease = first_phase_done(store, audit)
    if when == "later":
        advance(audit, lease)
    jobs = jobs_of(store, audit)
    audits.remove("lab", audit)
    assert [name for name in server.keys("*") if audit in name or any(job in name for job in jobs)] == []
    store.models.remove("lab", upload.model.id)


def test_a_failed_job_of_the_first_phase_keeps_no_second_from_beginning(store, audit, advance):
    first, *others = jobs_of(store, audit)
    store.leases.fail(taken(store, first), "model_fault", "It crashed.", retry=False)
    for job in others:
        commit_all(store, job)
    lease = taken(store, audit)
    assert lease.work == "advance" and advance(audit, lease)
    assert methods_of(store, audit) == FIRST + SECOND


def test_where_nothing_succeeded_there_is_no_second_phase(store, audit):
    for job in jobs_of(store, audit):
        store.leases.fail(taken(store, job), "model_fault", "It crashed.", retry=False)
    assert state_of(store, audit) == "failed" and methods_of(store, audit) == FIRST


def attacked(store: Store, library: NotedLibrary, job: str) -> None:
    """Every sample broken: at a distance that only sample and method choose."""
    method = store.jobs.get("lab", job).method.name
    scale = {"noise": 0.9, "square": 0.3}.get(method, 0.5)
    while leases := [lease for chunk in range(10) if (lease := store.leases.acquire(job, chunk))]:
        for lease in leases:
            assert isinstance(lease, JobLease)
            indices = np.array(lease.indices)
            x = np.full((len(indices), *SHAPE), scale, np.float32) + indices.reshape(-1, 1, 1, 1) / 1000
            file = io.BytesIO()
            np.savez(file, index=indices, x=x.astype(np.float32), label=np.zeros(len(indices), np.int64))
            kind = Kind.UPPER_BOUND if method in ("noise", "square") else Kind.ABSTAINED
            findings = tuple(
                finding(i, kind, scale + i / 1000 if kind is Kind.UPPER_BOUND else None) for i in lease.indices
            )
            kept = store.holdings.put("lab", job, file.getvalue()) if kind is Kind.UPPER_BOUND else None
            store.leases.commit(lease, Commit(result=result((), findings=findings, adversarials=kept)))


def test_hints_are_frozen_by_their_digest_and_depend_on_no_order(make_store: MakeStore, library, server):
    told = []
    for seed in range(3):
        store = make_store()
        upload = Upload(store, tenant="lab", model="a", samples="b")
        audit = upload.audit(recipe="quick-2")
        jobs = jobs_of(store, audit)
        random.Random(seed).shuffle(jobs)
        for job in 2 * jobs:  # one that is not sent out while others wait is come back to
            attacked(store, library, job)
        lease = taken(store, audit)
        made = second_phase(store, library, audit)
        assert made == second_phase(store, library, audit), "tried again, the same"
        store.leases.commit(lease, Commit(jobs=made, digests=tuple({job.hints.digest for job in made if job.hints})))
        told.append([job.hints for job in made])
        (pgd,) = (store.jobs.get("lab", job) for job in jobs_of(store, audit)[len(FIRST) :])
        assert pgd.hints == made[0].hints, "the public answer shows them"
        Audits(store).cancel("lab", audit)
    assert told[0] == told[1] == told[2]
    given = told[0][0]
    assert (given.points, given.reached, given.proven) == (10, 10, 0)
    hints = unpacked(library.get(given.digest), range(10))
    assert [hint.reached for hint in hints] == [np.float32(0.3 + i / 1000) for i in range(10)]
    np.testing.assert_allclose(hints[4].point, 0.304, rtol=1e-6)


def test_hints_live_as_long_as_their_audit(store, upload, audits, library, audit):
    for job in jobs_of(store, audit):
        attacked(store, library, job)
    lease = taken(store, audit)
    made = second_phase(store, library, audit)
    digest = made[0].hints.digest
    store.leases.commit(lease, Commit(jobs=made, digests=(digest,)))
    assert library.get(digest)
    audits.remove("lab", audit)
    assert digest in library.deleted()


def test_an_audit_of_one_phase_never_advances(store, upload, audits):
    audit = upload.audit()
    assert first_phase_done(store, audit).work == "report"


def test_a_message_of_an_earlier_phase_finds_nothing_to_do(store, audit, advance):
    advance(audit, first_phase_done(store, audit))
    assert store.leases.acquire(audit, 0) is None
