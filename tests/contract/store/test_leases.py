"""Chunks and their leases: lost, late, doubled, poisoned, drained, and who gets the next one."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.record import Effects, Progress
from jobs.states import JobState
from jobs.store.store import Store
from tests.jobs_for_tests import MakeStore, Upload, commit_all, model_card, result, taken

SHORT = 0.2  # seconds of a lease that a test waits out


@pytest.fixture
def hasty(make_store: MakeStore) -> Store:
    """Leases die within a moment."""
    return make_store(lease_seconds=SHORT)


def wait_out(store: Store, leases: int = 1) -> Effects:
    time.sleep(leases * SHORT * 1.3)
    return store.reap()


def chunks_of(effects: Effects) -> list[tuple[str, int]]:
    return [(dispatch.job_id, dispatch.chunk) for dispatch in effects.dispatches]


def test_a_chunk_has_one_lease_at_a_time(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    first = taken(store, job_id)
    assert store.acquire(job_id, 0, "other") is None
    assert (first.fence, first.attempt, first.indices) == (1, 1, (0, 1, 2, 3))
    assert first.spec.model == upload.model
    assert 0 < first.seconds_left <= 24 * 3600


def test_a_message_for_a_chunk_that_is_done_or_never_was_finds_nothing(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    lease = taken(store, job_id)
    store.commit(lease, result(lease.indices))
    assert [store.acquire(job_id, chunk, "w") for chunk in (0, 3, -1)] == [None, None, None]
    assert store.acquire("job_unknown", 0, "w") is None


def test_two_threads_that_want_the_same_chunk_get_one_lease(store: Store, upload: Upload) -> None:
    job_id = upload.job(chunk_size=1)
    with ThreadPoolExecutor(4) as pool:
        leases = list(pool.map(lambda n: store.acquire(job_id, n // 4, f"w{n}"), range(32)))
    won = [lease.chunk for lease in leases if lease]
    assert won == list(range(8))


def test_the_beat_keeps_a_lease_alive(hasty: Store) -> None:
    upload = Upload(hasty)
    lease = taken(hasty, upload.job())
    for done in range(6):
        time.sleep(SHORT / 4)
        assert hasty.beat(lease, Progress(samples_done=done)) == "go"
        assert hasty.reap().dispatches == () or done > 1  # chunks 1 and 2 wait, and are sent again
    assert hasty.counters().get("lost_leases", 0) == 0


def test_a_dead_lease_is_dispatched_again_and_its_holder_is_refused(hasty: Store) -> None:
    upload = Upload(hasty)
    job_id = upload.job(chunk_size=10)
    dead = taken(hasty, job_id)
    assert chunks_of(wait_out(hasty)) == [(job_id, 0)]
    assert hasty.beat(dead, Progress()) == "lost"
    heir = taken(hasty, job_id, worker="heir")
    assert (heir.fence, heir.attempt) == (2, 2)
    assert hasty.commit(dead, result(dead.indices, device="late")) == (False, Effects())
    assert hasty.commit(heir, result(heir.indices))[0]
    assert hasty.commit(heir, result(heir.indices))[0] is False
    assert hasty.job("lab", job_id).summary.device == "cpu"
    assert hasty.counters() == {"lost_leases": 1, "stale_fences": 3}


def test_a_lease_that_died_unnoticed_can_be_taken_over(hasty: Store) -> None:
    job_id = Upload(hasty).job()
    dead = taken(hasty, job_id)
    time.sleep(SHORT * 1.3)
    assert taken(hasty, job_id, worker="heir").fence == 2
    assert hasty.commit(dead, result(dead.indices))[0] is False


def test_a_late_commit_counts_while_nobody_else_has_the_chunk(hasty: Store) -> None:
    job_id = Upload(hasty).job(chunk_size=10)
    late = taken(hasty, job_id)
    time.sleep(SHORT * 1.3)
    assert hasty.commit(late, result(late.indices))[0]
    assert hasty.job("lab", job_id).state == JobState.SUCCEEDED


def test_a_chunk_that_kills_its_workers_ends_the_job_and_keeps_the_others(hasty: Store) -> None:
    upload = Upload(hasty)
    job_id, next_id = upload.job(), upload.job()
    good = taken(hasty, job_id, 1)
    hasty.commit(good, result(good.indices))
    for attempt in (1, 2, 3):
        assert taken(hasty, job_id).attempt == attempt
        wait_out(hasty)
    job = hasty.job("lab", job_id)
    assert (job.state, job.error.code) == (JobState.FAILED, "internal")
    assert [f.index for f in hasty.findings("lab", job_id).items] == [4, 5, 6, 7]
    assert hasty.job("lab", next_id).state == JobState.QUEUED


def test_a_fault_of_the_model_is_retried_once(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    other = taken(store, job_id, 1)
    again = store.fail(taken(store, job_id), "model_fault", "It crashed.", retry=True)
    assert chunks_of(again) == [(job_id, 0)]
    store.fail(taken(store, job_id), "model_fault", "It crashed.", retry=True)
    job = store.job("lab", job_id)
    assert (job.state, job.error.code, job.error.detail) == (JobState.FAILED, "model_fault", "It crashed.")
    assert store.beat(other, Progress()) == "lost"


def test_a_failure_that_another_try_cannot_mend_ends_the_job_at_once(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    store.fail(taken(store, job_id), "model_fault", "It does not answer.", retry=False)
    assert store.job("lab", job_id).state == JobState.FAILED


def test_other_failures_are_retried_until_the_attempts_are_spent(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    states = []
    for _ in range(3):
        store.fail(taken(store, job_id), "internal", "The library was away.", retry=True)
        states.append(store.job("lab", job_id).state)
    assert states == [JobState.RUNNING, JobState.RUNNING, JobState.FAILED]


def test_a_drained_chunk_can_be_taken_at_once_and_is_not_charged(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    for _ in range(5):
        lease = taken(store, job_id)
        assert lease.attempt == 1
        assert chunks_of(store.release(lease)) == [(job_id, 0)]
        assert store.release(lease) == Effects()


def test_a_lost_message_is_sent_again_ever_more_patiently(hasty: Store) -> None:
    job_id = Upload(hasty).job(chunk_size=10)
    assert hasty.reap().dispatches == ()
    assert chunks_of(wait_out(hasty, leases=2)) == [(job_id, 0)]
    assert chunks_of(wait_out(hasty, leases=2)) == []
    assert chunks_of(wait_out(hasty, leases=2)) == [(job_id, 0)]
    assert hasty.counters()["resent_messages"] == 2


def test_a_cancelled_job_whose_worker_is_gone_ends(hasty: Store) -> None:
    job_id = Upload(hasty).job()
    taken(hasty, job_id)
    assert hasty.cancel_job("lab", job_id)[0].state == JobState.RUNNING
    wait_out(hasty)
    assert hasty.job("lab", job_id).state == JobState.CANCELLED


def test_a_job_that_runs_out_of_its_time_fails_and_keeps_its_findings(store: Store, upload: Upload) -> None:
    job_id = upload.job(budget={"queries_per_sample": 10_000, "seconds": 0.5})
    first, second = taken(store, job_id), taken(store, job_id, 1)
    assert 0.3 < first.seconds_left < 0.5
    store.commit(first, result(first.indices))
    time.sleep(0.55)
    store.reap()
    job = store.job("lab", job_id)
    assert (job.state, job.error.code) == (JobState.FAILED, "deadline")
    assert store.beat(second, Progress()) == "lost"
    assert len(store.findings("lab", job_id).items) == 4


def test_a_job_that_waited_too_long_expires(make_store: MakeStore) -> None:
    store = make_store(queue_seconds=1)
    job_id = Upload(store).job()
    store.reap()
    assert store.job("lab", job_id).state == JobState.QUEUED
    time.sleep(1.05)
    store.reap()
    assert store.job("lab", job_id).state == JobState.EXPIRED
    assert store.acquire(job_id, 0, "w") is None


def test_a_job_has_only_a_window_of_chunks_on_the_way(make_store: MakeStore) -> None:
    store = make_store(chunks_in_flight=2)
    job, effects = store.create_job("lab", Upload(store).spec(chunk_size=2))
    assert [dispatch.chunk for dispatch in effects.dispatches] == [0, 1]
    assert store.acquire(job.id, 2, "w") is None
    lease = taken(store, job.id, 1)
    assert chunks_of(store.commit(lease, result(lease.indices))[1]) == [(job.id, 2)]


def test_the_end_of_a_job_admits_the_next_in_the_same_move(make_store: MakeStore) -> None:
    store = make_store(jobs_in_flight=1)
    upload = Upload(store)
    first, second, third = (upload.job(chunk_size=10) for _ in range(3))
    assert store.acquire(second, 0, "w") is None
    lease = taken(store, first)
    assert chunks_of(store.commit(lease, result(lease.indices))[1]) == [(second, 0)]
    assert chunks_of(store.cancel_job("lab", second)[1]) == [(third, 0)]


def test_a_tenant_that_floods_does_not_hold_up_another(make_store: MakeStore) -> None:
    store = make_store(jobs_in_flight=2, chunks_in_flight=2)
    flood = Upload(store, "flood")
    sent = [d for _ in range(50) for d in store.create_job("flood", flood.spec())[1].dispatches]
    assert len(sent) == 4
    job, effects = store.create_job("lab", Upload(store, "lab").spec())
    assert chunks_of(effects) == [(job.id, 0), (job.id, 1)]


def test_jobs_of_a_tenant_do_not_hold_up_its_inspections(make_store: MakeStore) -> None:
    store = make_store(jobs_in_flight=1)
    upload = Upload(store)
    upload.job()
    card, effects = store.add_model("lab", model_card(bytes_of="z"))
    assert chunks_of(effects) == [(card.id, 0)]


def test_two_workers_finish_a_job_together_however_the_last_commits_race(store: Store, upload: Upload) -> None:
    for _ in range(10):
        job_id = upload.job(chunk_size=5)
        leases = [taken(store, job_id, chunk, f"w{chunk}") for chunk in (0, 1)]
        with ThreadPoolExecutor(2) as pool:
            accepted = list(pool.map(lambda lease: store.commit(lease, result(lease.indices))[0], leases))
        job = store.job("lab", job_id)
        assert (accepted, job.state, job.summary.samples) == ([True, True], JobState.SUCCEEDED, 10)


def test_workers_that_die_at_random_leave_no_job_unfinished(make_store: MakeStore) -> None:
    """Every third lease is dropped; the reaper and the others make up for it."""
    store = make_store(lease_seconds=SHORT, max_attempts=50)
    upload = Upload(store)
    ids = [upload.job(chunk_size=1) for _ in range(4)]
    deadline = time.monotonic() + 20

    def work(worker: int) -> None:
        taken_so_far = 0
        while any(store.job("lab", i).state in (JobState.QUEUED, JobState.RUNNING) for i in ids):
            assert time.monotonic() < deadline
            store.reap()
            for job_id, chunk in ((i, c) for i in ids for c in range(10)):
                if lease := store.acquire(job_id, chunk, f"w{worker}"):
                    taken_so_far += 1
                    if taken_so_far % 3:
                        store.commit(lease, result(lease.indices))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    for job_id in ids:
        assert [f.index for f in store.findings("lab", job_id).items] == list(range(10))
        assert store.job("lab", job_id).summary.queries.total == 20
    assert store.counters()["lost_leases"] > 0


def test_a_model_that_kills_its_inspectors_is_refused(hasty: Store) -> None:
    card, _ = hasty.add_model("lab", model_card())
    for _ in range(3):
        taken(hasty, card.id)
        effects = wait_out(hasty)
    assert effects.digests == (card.sha256,)
    assert hasty.model("lab", card.id).refusal.code == "model_invalid"


def test_workers_live_while_they_beat(hasty: Store) -> None:
    hasty.worker_beat("w1", "compute", {"pid": 7})
    (worker,) = hasty.live_workers()
    assert (worker.id, worker.kind, worker.info) == ("w1", "compute", {"pid": 7})
    time.sleep(2.2 * SHORT)
    assert hasty.live_workers() == []


def test_an_ended_job_leaves_nothing_for_the_reaper(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    commit_all(store, job_id)
    assert store.reap() == Effects()
    backlog = store.backlog()
    assert (backlog.chunks_waiting, backlog.chunks_running) == (0, 0)
