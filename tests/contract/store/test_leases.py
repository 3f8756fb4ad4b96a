"""Chunks and their leases: lost, late, doubled, poisoned, drained, and who gets the next one."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.installation.settings import Settings
from jobs.record import Progress
from jobs.states import JobState
from jobs.store.store import Store
from jobs.work.lease import Commit
from jobs.work.queue import Dispatch
from tests.contract.store.passing import After
from tests.jobs_for_tests import MakeStore, NotedLibrary, NotedQueue, Upload, commit_all, model_card, result, taken
from tests.patience import PATIENCE_SECONDS

LEASE_SECONDS = Settings().lease_seconds


@pytest.fixture
def wait_out(store: Store, after: After) -> After:
    """Lets so many leases pass, and the reaper look."""

    def wait_out(leases: float = 1) -> None:
        after(leases * LEASE_SECONDS * 1.3)
        store.moves.reap()

    return wait_out


def chunks_of(sent: list[Dispatch]) -> list[tuple[str, int]]:
    return [(dispatch.job_id, dispatch.chunk) for dispatch in sent]


def test_a_chunk_has_one_lease_at_a_time(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    first = taken(store, job_id)
    assert store.leases.acquire(job_id, 0) is None
    assert (first.fence, first.attempt, first.indices) == (1, 1, (0, 1, 2, 3))
    assert first.spec.model == upload.model
    assert 0 < first.seconds_left <= 24 * 3600


def test_a_message_for_a_chunk_that_is_done_or_never_was_finds_nothing(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    lease = taken(store, job_id)
    store.leases.commit(lease, Commit(result=result(lease.indices)))
    assert [store.leases.acquire(job_id, chunk) for chunk in (0, 3, -1)] == [None, None, None]
    assert store.leases.acquire("job_unknown", 0) is None


def test_two_threads_that_want_the_same_chunk_get_one_lease(store: Store, upload: Upload) -> None:
    job_id = upload.job(chunk_size=1)
    with ThreadPoolExecutor(4) as pool:
        leases = list(pool.map(lambda n: store.leases.acquire(job_id, n // 4), range(32)))
    won = [lease.chunk for lease in leases if lease]
    assert won == list(range(8))


def test_the_beat_keeps_a_lease_alive(store: Store, queue: NotedQueue, after: After) -> None:
    upload = Upload(store)
    lease = taken(store, upload.job())
    queue.sent()
    for done in range(6):
        after(LEASE_SECONDS / 4)
        assert store.leases.beat(lease, Progress(samples_done=done)) == "go"
        store.moves.reap()
        assert queue.sent() == [] or done > 1  # chunks 1 and 2 wait, and are sent again
    assert store.counters().get("lost_leases", 0) == 0


def test_a_dead_lease_is_dispatched_again_and_its_holder_is_refused(
    store: Store, queue: NotedQueue, wait_out: After
) -> None:
    upload = Upload(store)
    job_id = upload.job(chunk_size=10)
    dead = taken(store, job_id)
    queue.sent()
    wait_out()
    assert chunks_of(queue.sent()) == [(job_id, 0)]
    assert store.leases.beat(dead, Progress()) == "lost"
    heir = taken(store, job_id)
    assert (heir.fence, heir.attempt) == (2, 2)
    assert store.leases.commit(dead, Commit(result=result(dead.indices, device="late"))) is False
    assert queue.sent() == []
    assert store.leases.commit(heir, Commit(result=result(heir.indices)))
    assert store.leases.commit(heir, Commit(result=result(heir.indices))) is False
    assert store.jobs.get("lab", job_id).summary.device == "cpu"
    assert store.counters() == {"lost_leases": 1, "stale_fences": 3}


def test_a_lease_that_died_unnoticed_can_be_taken_over(store: Store, after: After) -> None:
    job_id = Upload(store).job()
    dead = taken(store, job_id)
    after(1.3 * LEASE_SECONDS)
    assert taken(store, job_id).fence == 2
    assert store.leases.commit(dead, Commit(result=result(dead.indices))) is False


def test_a_late_commit_counts_while_nobody_else_has_the_chunk(store: Store, after: After) -> None:
    job_id = Upload(store).job(chunk_size=10)
    late = taken(store, job_id)
    after(1.3 * LEASE_SECONDS)
    assert store.leases.commit(late, Commit(result=result(late.indices)))
    assert store.jobs.get("lab", job_id).state == JobState.SUCCEEDED


def test_a_chunk_that_kills_its_workers_ends_the_job_and_keeps_the_others(store: Store, wait_out: After) -> None:
    upload = Upload(store)
    job_id, next_id = upload.job(), upload.job()
    good = taken(store, job_id, 1)
    store.leases.commit(good, Commit(result=result(good.indices)))
    for attempt in (1, 2, 3):
        assert taken(store, job_id).attempt == attempt
        wait_out()
    job = store.jobs.get("lab", job_id)
    assert (job.state, job.error.code) == (JobState.FAILED, "internal")
    assert [f.index for f in store.findings.page("lab", job_id).items] == [4, 5, 6, 7]
    assert store.jobs.get("lab", next_id).state == JobState.QUEUED


def test_a_fault_of_the_model_is_retried_once(store: Store, upload: Upload, queue: NotedQueue) -> None:
    job_id = upload.job()
    other = taken(store, job_id, 1)
    queue.sent()
    store.leases.fail(taken(store, job_id), "model_fault", "It crashed.", retry=True)
    assert chunks_of(queue.sent()) == [(job_id, 0)]
    store.leases.fail(taken(store, job_id), "model_fault", "It crashed.", retry=True)
    job = store.jobs.get("lab", job_id)
    assert (job.state, job.error.code, job.error.detail) == (JobState.FAILED, "model_fault", "It crashed.")
    assert store.leases.beat(other, Progress()) == "lost"


def test_a_runner_taken_from_outside_is_not_charged_and_has_a_count_of_its_own(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    for taken_before in range(10):
        assert store.jobs.get("lab", job_id).state in (JobState.QUEUED, JobState.RUNNING), taken_before
        lease = taken(store, job_id)
        assert lease.attempt == 1
        store.leases.fail(lease, "worker_lost", "It was taken.", retry=True)
    job = store.jobs.get("lab", job_id)
    assert (job.state, job.error.code) == (JobState.FAILED, "worker_lost")


def test_a_model_whose_inspector_was_taken_is_not_called_invalid(store: Store) -> None:
    card = store.models.add("lab", model_card())
    for _ in range(10):
        store.leases.fail(taken(store, card.id), "worker_lost", "It was taken.", retry=True)
    assert store.models.get("lab", card.id).refusal.code == "unavailable"


def test_a_failure_that_another_try_cannot_mend_ends_the_job_at_once(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    store.leases.fail(taken(store, job_id), "model_fault", "It does not answer.", retry=False)
    assert store.jobs.get("lab", job_id).state == JobState.FAILED


def test_other_failures_are_retried_until_the_attempts_are_spent(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    states = []
    for _ in range(3):
        store.leases.fail(taken(store, job_id), "internal", "The library was away.", retry=True)
        states.append(store.jobs.get("lab", job_id).state)
    assert states == [JobState.RUNNING, JobState.RUNNING, JobState.FAILED]


def test_a_drained_chunk_can_be_taken_at_once_and_is_not_charged(
    store: Store, upload: Upload, queue: NotedQueue
) -> None:
    job_id = upload.job()
    for _ in range(5):
        lease = taken(store, job_id)
        assert lease.attempt == 1
        queue.sent()
        for _ in range(2):
            store.leases.release(lease)
        assert chunks_of(queue.sent()) == [(job_id, 0)]


def test_a_lost_message_is_sent_again_ever_more_patiently(store: Store, queue: NotedQueue, wait_out: After) -> None:
    job_id = Upload(store).job(chunk_size=10)
    queue.sent()
    store.moves.reap()
    assert queue.sent() == []
    for again in ([(job_id, 0)], [], [(job_id, 0)]):
        wait_out(2)
        assert chunks_of(queue.sent()) == again
    assert store.counters()["resent_messages"] == 2


def test_a_cancelled_job_whose_worker_is_gone_ends(store: Store, wait_out: After) -> None:
    job_id = Upload(store).job()
    taken(store, job_id)
    assert store.jobs.cancel("lab", job_id).state == JobState.RUNNING
    wait_out()
    assert store.jobs.get("lab", job_id).state == JobState.CANCELLED


def test_a_job_that_runs_out_of_its_time_fails_and_keeps_its_findings(
    store: Store, upload: Upload, after: After
) -> None:
    job_id = upload.job(budget={"queries_per_sample": 10_000, "seconds": 5000})
    first, second = taken(store, job_id), taken(store, job_id, 1)
    assert 5000 - PATIENCE_SECONDS < first.seconds_left <= 5000
    store.leases.commit(first, Commit(result=result(first.indices)))
    after(5000)
    store.moves.reap()
    job = store.jobs.get("lab", job_id)
    assert (job.state, job.error.code) == (JobState.FAILED, "deadline")
    assert store.leases.beat(second, Progress()) == "lost"
    assert len(store.findings.page("lab", job_id).items) == 4


def test_a_job_that_waited_too_long_expires(store: Store, upload: Upload, after: After) -> None:
    job_id = upload.job()
    after(Settings().queue_seconds - PATIENCE_SECONDS)
    store.moves.reap()
    assert store.jobs.get("lab", job_id).state == JobState.QUEUED
    after(PATIENCE_SECONDS)
    store.moves.reap()
    assert store.jobs.get("lab", job_id).state == JobState.EXPIRED
    assert store.leases.acquire(job_id, 0) is None


def test_a_job_has_only_a_window_of_chunks_on_the_way(make_store: MakeStore, queue: NotedQueue) -> None:
    store = make_store(chunks_in_flight=2)
    upload = Upload(store)
    queue.sent()
    job = store.jobs.create("lab", upload.spec(chunk_size=2))
    assert chunks_of(queue.sent()) == [(job.id, 0), (job.id, 1)]
    assert store.leases.acquire(job.id, 2) is None
    lease = taken(store, job.id, 1)
    store.leases.commit(lease, Commit(result=result(lease.indices)))
    assert chunks_of(queue.sent()) == [(job.id, 2)]


def test_the_end_of_a_job_admits_the_next_in_the_same_move(make_store: MakeStore, queue: NotedQueue) -> None:
    store = make_store(jobs_in_flight=1)
    upload = Upload(store)
    first, second, third = (upload.job(chunk_size=10) for _ in range(3))
    assert store.leases.acquire(second, 0) is None
    lease = taken(store, first)
    queue.sent()
    store.leases.commit(lease, Commit(result=result(lease.indices)))
    assert chunks_of(queue.sent()) == [(second, 0)]
    store.jobs.cancel("lab", second)
    assert chunks_of(queue.sent()) == [(third, 0)]


def test_a_tenant_that_floods_does_not_hold_up_another(make_store: MakeStore, queue: NotedQueue) -> None:
    store = make_store(jobs_in_flight=2, chunks_in_flight=2)
    flood, other = Upload(store, "flood"), Upload(store, "lab")
    queue.sent()
    for _ in range(50):
        store.jobs.create("flood", flood.spec())
    assert len(queue.sent()) == 4
    job = store.jobs.create("lab", other.spec())
    assert chunks_of(queue.sent()) == [(job.id, 0), (job.id, 1)]


def test_jobs_of_a_tenant_do_not_hold_up_its_inspections(make_store: MakeStore, queue: NotedQueue) -> None:
    store = make_store(jobs_in_flight=1)
    upload = Upload(store)
    upload.job()
    queue.sent()
    card = store.models.add("lab", model_card(bytes_of="z"))
    assert chunks_of(queue.sent()) == [(card.id, 0)]


def test_two_workers_finish_a_job_together_however_the_last_commits_race(store: Store, upload: Upload) -> None:
    for _ in range(10):
        job_id = upload.job(chunk_size=5)
        leases = [taken(store, job_id, chunk) for chunk in (0, 1)]
        with ThreadPoolExecutor(2) as pool:
            accepted = list(
                pool.map(lambda lease: store.leases.commit(lease, Commit(result=result(lease.indices))), leases)
            )
        job = store.jobs.get("lab", job_id)
        assert (accepted, job.state, job.summary.samples) == ([True, True], JobState.SUCCEEDED, 10)


def test_workers_that_die_at_random_leave_no_job_unfinished(make_store: MakeStore, after: After) -> None:
    """Every third lease is dropped; the reaper and the others make up for it."""
    store = make_store(max_attempts=100)
    upload = Upload(store)
    ids = [upload.job(chunk_size=1) for _ in range(4)]

    def work(worker: int) -> None:
        taken_so_far = 0
        while any(store.jobs.get("lab", i).state in (JobState.QUEUED, JobState.RUNNING) for i in ids):
            after(LEASE_SECONDS / 3)
            store.moves.reap()
            for job_id, chunk in ((i, c) for i in ids for c in range(10)):
                if lease := store.leases.acquire(job_id, chunk):
                    taken_so_far += 1
                    if taken_so_far % 3:
                        store.leases.commit(lease, Commit(result=result(lease.indices)))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    for job_id in ids:
        assert [f.index for f in store.findings.page("lab", job_id).items] == list(range(10))
        assert store.jobs.get("lab", job_id).summary.queries.total == 20
    assert store.counters()["lost_leases"] > 0


def test_a_model_that_kills_its_inspectors_is_refused(store: Store, library: NotedLibrary, wait_out: After) -> None:
    card = store.models.add("lab", model_card())
    for _ in range(3):
        taken(store, card.id)
        assert library.deleted() == []
        wait_out()
    assert library.deleted() == [card.sha256]
    assert store.models.get("lab", card.id).refusal.code == "model_invalid"


def test_workers_live_while_they_beat(store: Store, after: After) -> None:
    store.workers.beat("w1", "compute", {"pid": 7})
    (worker,) = store.workers.live()
    assert (worker.id, worker.kind, worker.info) == ("w1", "compute", {"pid": 7})
    after(2.2 * LEASE_SECONDS)
    assert store.workers.live() == []


def test_an_ended_job_leaves_nothing_for_the_reaper(
    store: Store, upload: Upload, queue: NotedQueue, library: NotedLibrary
) -> None:
    job_id = upload.job()
    commit_all(store, job_id)
    queue.sent()
    store.moves.reap()
    assert queue.sent() == library.deleted() == []
    backlog = store.backlog()
    assert (backlog.chunks_waiting, backlog.chunks_running) == (0, 0)
