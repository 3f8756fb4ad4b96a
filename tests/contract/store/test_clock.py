"""The server's clock is set back by an hour, or ahead: whatever is waited for is waited for as long as before."""

import math

import pytest

from algorithms.errors import RateLimited
from jobs.installation.settings import Settings
from jobs.record import Progress
from jobs.states import JobState
from jobs.store.sections.keys import KeyRecord
from jobs.store.store import Store
from jobs.work.lease import Commit
from models.cards import Limits
from tests.contract.store.passing import After
from tests.jobs_for_tests import NOW, MakeStore, Upload, commit_all, result, taken

HOUR = 3600.0
LEASE_SECONDS = Settings().lease_seconds
KEY = KeyRecord(id="k", tenant="lab", scopes=frozenset(), secret_hash="ab", created_at=NOW)


@pytest.fixture
def set_back(store: Store, after: After) -> After:
    """The clock is set back some time after a sweep: all that was written down lies so far ahead."""

    def set_back(seconds: float = HOUR) -> None:
        store.moves.reap()
        after(-seconds)

    return set_back


def test_a_killed_workers_chunk_is_given_away_after_its_lease(store: Store, upload: Upload, set_back, after) -> None:
    job_id = upload.job()
    taken(store, job_id)
    set_back()
    assert store.leases.acquire(job_id, 0) is None
    store.moves.reap()
    assert store.counters().get("lost_leases", 0) == 0
    after(1.3 * LEASE_SECONDS)
    store.moves.reap()
    assert store.counters()["lost_leases"] == 1
    assert taken(store, job_id).fence == 2


def test_a_living_worker_keeps_its_lease_and_its_time(store: Store, upload: Upload, set_back, after) -> None:
    job_id = upload.job(chunk_size=10, budget={"queries_per_sample": 10_000, "seconds": 5000})
    lease = taken(store, job_id)
    for _ in range(3):
        set_back()
        assert store.leases.beat(lease, Progress()) == "go"
        after(0.6 * LEASE_SECONDS)
        store.moves.reap()
    store.leases.release(lease)
    assert 4000 < taken(store, job_id).seconds_left < 5000
    after(5000)
    store.moves.reap()
    assert store.jobs.get("lab", job_id).error.code == "deadline"


def test_a_lost_message_a_cancel_and_a_life_end_when_they_would_have(
    store: Store, upload: Upload, queue, set_back, after
) -> None:
    cancelled, waiting, ended = upload.job(), upload.job(chunk_size=10), upload.job()
    taken(store, cancelled)
    store.jobs.cancel("lab", cancelled)
    commit_all(store, ended)
    set_back()
    store.moves.reap()
    queue.sent()
    after(2 * LEASE_SECONDS)
    store.moves.reap()
    assert store.jobs.get("lab", cancelled).state == JobState.CANCELLED
    assert waiting in {dispatch.job_id for dispatch in queue.sent()}
    after(Settings().result_ttl_seconds)
    store.moves.reap()
    assert store.objects.page("lab", "job", None, 10, lambda ids: ids).items == (waiting,)


def test_nobody_is_kept_waiting_for_longer_than_the_rate_says(make_store: MakeStore, set_back, after) -> None:
    store = make_store(requests_per_second=1.0, requests_burst=3)
    for _ in range(3):
        store.keys.arrive(KEY)
    set_back()
    with pytest.raises(RateLimited) as refusal:
        store.keys.arrive(KEY)
    assert refusal.value.retry_after == 1
    after(1)
    store.keys.arrive(KEY)


def test_an_endpoint_is_called_as_soon_as_it_would_have_been(store: Store, set_back, after) -> None:
    limits = Limits(requests_per_second=1.0, burst=1)
    before = [store.turns.reserve("https://a", limits, calls=10, hold=0) for _ in range(2)][-1]
    set_back()
    assert store.turns.reserve("https://a", limits, calls=1, hold=0) <= before + 1
    after(math.ceil(before) + 2)
    assert store.turns.reserve("https://a", limits, calls=1, hold=0) == 0


def test_a_dead_worker_is_not_taken_for_alive(store: Store, set_back, after) -> None:
    store.workers.beat("w1", "compute", {})
    set_back()
    assert [worker.id for worker in store.workers.live()] == ["w1"]
    after(2.2 * LEASE_SECONDS)
    assert store.workers.live() == []


def test_an_hour_ahead_costs_a_lease_and_no_job(store: Store, upload: Upload, set_back, after) -> None:
    job_id = upload.job(chunk_size=10)
    lost = taken(store, job_id)
    store.moves.reap()
    after(HOUR)
    store.moves.reap()
    assert store.leases.beat(lost, Progress()) == "lost"
    set_back()  # and is mended
    lease = taken(store, job_id)
    assert store.leases.commit(lease, Commit(result=result(lease.indices)))
    assert store.jobs.get("lab", job_id).state == JobState.SUCCEEDED


def test_times_that_people_read_are_those_of_the_clock(store: Store, upload: Upload, set_back) -> None:
    set_back()
    store.moves.reap()
    job = store.jobs.get("lab", upload.job())
    assert abs((job.created_at - store.server_time()).total_seconds()) < HOUR / 2
