"""Chunks that a worker with a card, or with many cores, takes in a row: one lease, one result, none lost or doubled."""

import random

import pytest

from algorithms.errors import NotFound
from jobs.installation.settings import Settings
from jobs.record import Progress
from jobs.states import JobState
from jobs.store.store import Store
from jobs.work.lease import Commit, JobLease
from tests.contract.store.passing import After
from tests.jobs_for_tests import MakeStore, NotedQueue, Upload, result

LEASE_SECONDS = Settings().lease_seconds


def wide(upload: Upload, at_once: int = 3) -> str:
    """A job of ten rows in five chunks, of which a worker may take so many in a row."""
    spec = upload.spec(chunk_size=2).model_copy(update={"chunks_at_once": at_once})
    return upload.store.jobs.create(upload.tenant, spec).id


def take(store: Store, job_id: str, chunk: int, chunks: int) -> JobLease:
    lease = store.leases.acquire(job_id, chunk, chunks=chunks)
    assert isinstance(lease, JobLease)
    return lease


def commit(store: Store, lease: JobLease) -> bool:
    return store.leases.commit(lease, Commit(result=result(lease.indices)))


def seen(store: Store, job_id: str) -> list[int]:
    return [finding.index for finding in store.findings.page("lab", job_id).items]


@pytest.mark.parametrize(("most", "asked", "got"), [(3, 2, 2), (3, 8, 3), (8, 8, 5), (1, 8, 1), (8, 1, 1)])
def test_a_lease_is_as_wide_as_worker_and_job_allow(store: Store, upload: Upload, most: int, asked: int, got: int):
    lease = take(store, wide(upload, most), 0, asked)
    assert (lease.width, lease.indices) == (got, tuple(range(2 * got)))


def test_whoever_comes_for_a_chunk_that_was_taken_along_finds_nothing(store: Store, upload: Upload) -> None:
    job_id = wide(upload)
    first = take(store, job_id, 0, 3)
    assert [store.leases.acquire(job_id, chunk) for chunk in (0, 1, 2)] == [None] * 3
    last = take(store, job_id, 3, 3)
    assert last.indices == (6, 7, 8, 9)
    assert commit(store, last) and seen(store, job_id) == [6, 7, 8, 9]
    assert commit(store, first) and seen(store, job_id) == list(range(10))
    job = store.jobs.get("lab", job_id)
    assert (job.state, job.progress.samples_done, job.summary.samples) == (JobState.SUCCEEDED, 10, 10)


def test_a_message_of_a_chunk_that_was_taken_along_wakes_for_the_next_in_line(
    store: Store, upload: Upload, queue: NotedQueue
) -> None:
    wide(upload, 2)
    messages = [message for message in queue.sent() if message.queue == "compute"]
    taken = [store.leases.acquire(m.job_id, m.chunk, m.queue, chunks=2) for m in messages]
    assert [lease and lease.chunk for lease in taken] == [0, 2, 4, None, None]


def test_chunks_are_taken_along_that_were_not_admitted_yet(make_store: MakeStore, queue: NotedQueue) -> None:
    store = make_store(chunks_in_flight=1)
    job_id = wide(Upload(store), 3)
    first = take(store, job_id, 0, 3)
    assert [message.chunk for message in queue.sent() if message.job_id == job_id] == [0]
    assert store.leases.acquire(job_id, 3) is None  # one lease is the whole window
    assert commit(store, first)
    assert [message.chunk for message in queue.sent()] == [3]
    assert commit(store, take(store, job_id, 3, 3))
    assert store.jobs.get("lab", job_id).state == JobState.SUCCEEDED


def test_the_window_is_filled_again_when_chunks_of_it_are_taken_along(make_store: MakeStore, queue: NotedQueue) -> None:
    store = make_store(chunks_in_flight=2)
    job_id = wide(Upload(store), 2)
    queue.sent()
    take(store, job_id, 0, 2)
    assert [message.chunk for message in queue.sent()] == [2]


def test_a_lease_that_died_is_given_on_as_wide_as_it_was(store: Store, upload: Upload, after: After) -> None:
    job_id = wide(upload)
    dead = take(store, job_id, 0, 3)
    after(1.3 * LEASE_SECONDS)
    store.moves.reap()
    assert store.leases.beat(dead, Progress()) == "lost"
    heir = take(store, job_id, 0, 1)
    assert (heir.width, heir.indices, heir.attempt) == (3, dead.indices, 2)
    assert not commit(store, dead)
    assert commit(store, heir) and commit(store, take(store, job_id, 3, 8))
    assert store.jobs.get("lab", job_id).state == JobState.SUCCEEDED


@pytest.mark.parametrize("how", ["released", "failed", "held"])
def test_a_chunk_that_was_begun_before_is_not_taken_along(store: Store, upload: Upload, how: str) -> None:
    job_id = wide(upload)
    begun = take(store, job_id, 1, 1)
    if how == "released":
        store.leases.release(begun)
    elif how == "failed":
        store.leases.fail(begun, "internal", "It broke.", retry=True)
    assert take(store, job_id, 0, 3).indices == (0, 1)


def test_a_job_of_a_version_that_took_no_chunks_in_a_row_goes_chunk_by_chunk(store: Store, upload: Upload) -> None:
    old = upload.spec(chunk_size=2)
    assert "chunks_at_once" in old.model_fields_set
    read = type(old).model_validate(old.model_dump(mode="json", exclude={"chunks_at_once"}))
    job_id = store.jobs.create("lab", read).id
    assert take(store, job_id, 0, 8).indices == (0, 1)


@pytest.mark.parametrize("seed", range(5))
def test_every_finding_is_found_whatever_was_taken_in_a_row(store: Store, upload: Upload, seed: int) -> None:
    rng, job_id = random.Random(seed), wide(upload, 4)
    leases = [lease for chunk in range(5) if (lease := store.leases.acquire(job_id, chunk, chunks=rng.randint(1, 4)))]
    assert sorted(index for lease in leases for index in lease.indices) == list(range(10))
    late = rng.choice(leases)
    for lease in leases:
        assert lease is late or commit(store, lease)
    for index in late.indices:
        with pytest.raises(NotFound):
            store.findings.get("lab", job_id, index)
    assert commit(store, late)
    assert [store.findings.get("lab", job_id, index).index for index in range(10)] == list(range(10))
    found, cursor = [], None
    for _ in range(10):
        page = store.findings.page("lab", job_id, cursor, 1)
        found += [finding.index for finding in page.items]
        cursor = page.next_cursor
    assert found == list(range(10))
