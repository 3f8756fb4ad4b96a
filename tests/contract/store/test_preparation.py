"""The `prepare` stage: one unit of work before all chunks, as safe from deaths as they; the job holds its product."""

import pytest

from algorithms.errors import Conflict, NotFound
from jobs.admission.admission import admit
from jobs.installation.settings import Settings
from jobs.record import Progress
from jobs.states import JobState
from jobs.store.store import Store
from jobs.summary import Preparation
from jobs.work.lease import Commit, Lease
from jobs.work.queue import Dispatch
from tests.contract.store.passing import After
from tests.jobs_for_tests import (
    NotedLibrary,
    NotedQueue,
    Upload,
    commit_all,
    digest,
    request,
    result,
    samples_card,
    taken,
)

LEASE_SECONDS = Settings().lease_seconds
MADE = Preparation(artifact=digest("d"), seconds=1.5)
IN_COMMIT = Commit(fields={"prepared": MADE.model_dump_json()}, digests=(MADE.artifact,))


class SpanningUpload(Upload):
    """With a job that has something to prepare, in chunks of four: 4, 4, 2."""

    def __init__(self, store: Store, queue: NotedQueue) -> None:
        super().__init__(store)
        self._queue = queue
        self.others = samples_card(bytes_of="c")
        store.samples.add(self.tenant, self.others)

    def spanning_job(self) -> str:
        asked = request(self.model, self.samples, method={"name": "hopskipjump", "directions": "spanning"})
        spec = admit(asked, self.model, self.samples, auxiliary=self.others)
        self._queue.sent()
        job = self.store.jobs.create(self.tenant, spec.model_copy(update={"chunk_size": 4}))
        assert self._queue.sent() == [Dispatch("compute", job.id, 0)], "nothing else can be done yet"
        return job.id


@pytest.fixture
def upload(store: Store, queue: NotedQueue) -> SpanningUpload:
    return SpanningUpload(store, queue)


def prepared(store: Store, job_id: str) -> Lease:
    lease = taken(store, job_id)
    assert lease.work == "prepare"
    assert store.leases.commit(lease, IN_COMMIT)
    return lease


def test_chunks_wait_until_the_job_is_prepared(store: Store, upload: SpanningUpload, queue: NotedQueue) -> None:
    job_id = upload.spanning_job()
    lease = taken(store, job_id)
    assert (lease.work, lease.prepared) == ("prepare", None)
    assert lease.spec.auxiliary == upload.others
    assert [store.leases.acquire(job_id, chunk) for chunk in (0, 1, 2)] == [None] * 3
    assert store.leases.commit(lease, IN_COMMIT)
    assert [d.chunk for d in queue.sent()] == [0, 1, 2]
    chunk = taken(store, job_id)
    assert (chunk.work, chunk.indices, chunk.prepared) == ("run", (0, 1, 2, 3), MADE)


def test_what_it_cost_is_a_line_of_its_own(store: Store, upload: SpanningUpload) -> None:
    job_id = upload.spanning_job()
    prepared(store, job_id)
    commit_all(store, job_id)
    job = store.jobs.get(upload.tenant, job_id)
    assert (job.state, job.progress.samples_done) == (JobState.SUCCEEDED, 10)
    assert job.summary.prepare == MADE
    assert job.summary.queries.total == 20, "the chunks' alone"


def test_the_job_holds_what_was_made(store: Store, upload: SpanningUpload, library: NotedLibrary) -> None:
    job_id = upload.spanning_job()
    prepared(store, job_id)
    store.jobs.remove(upload.tenant, job_id)
    assert MADE.artifact in library.deleted()


def test_a_lost_preparation_is_made_again_and_the_first_writer_wins(
    store: Store, queue: NotedQueue, after: After
) -> None:
    job_id = SpanningUpload(store, queue).spanning_job()
    late = taken(store, job_id)
    after(1.3 * LEASE_SECONDS)
    store.moves.reap()
    assert [d.chunk for d in queue.sent()] == [0]
    again = prepared(store, job_id)
    assert (again.fence, again.attempt) == (late.fence + 1, 2)
    assert store.leases.commit(late, IN_COMMIT) is False


def test_a_late_preparation_cannot_pass_for_the_first_chunk(store: Store, queue: NotedQueue, after: After) -> None:
    job_id = SpanningUpload(store, queue).spanning_job()
    late = taken(store, job_id)
    after(1.3 * LEASE_SECONDS)
    store.moves.reap()
    prepared(store, job_id)
    chunk = taken(store, job_id)
    assert chunk.attempt == 1, "the attempts of the preparation are not the chunk's"
    assert store.leases.commit(late, IN_COMMIT) is False
    assert store.leases.commit(late, Commit(result=result(chunk.indices))) is False
    assert store.leases.commit(chunk, Commit(result=result(chunk.indices))) is True


def test_a_preparation_that_fails_ends_the_job_with_the_reason(store: Store, upload: SpanningUpload) -> None:
    job_id = upload.spanning_job()
    store.leases.fail(taken(store, job_id), "internal", "It spans nothing.", retry=False)
    job = store.jobs.get(upload.tenant, job_id)
    assert (job.state, job.error.detail) == (JobState.FAILED, "It spans nothing.")


def test_a_drained_preparation_can_be_taken_at_once(store: Store, upload: SpanningUpload, queue: NotedQueue) -> None:
    job_id = upload.spanning_job()
    store.leases.release(taken(store, job_id))
    assert [d.chunk for d in queue.sent()] == [0]
    assert taken(store, job_id).work == "prepare"


def test_a_job_cancelled_while_it_is_prepared_ends_without_a_chunk(
    store: Store, upload: SpanningUpload, queue: NotedQueue
) -> None:
    job_id = upload.spanning_job()
    lease = taken(store, job_id)
    store.jobs.cancel(upload.tenant, job_id)
    assert store.leases.commit(lease, IN_COMMIT)
    assert queue.sent() == []
    assert store.jobs.get(upload.tenant, job_id).state == JobState.CANCELLED


def test_auxiliary_samples_are_in_use_while_the_job_lives(store: Store, upload: SpanningUpload) -> None:
    job_id = upload.spanning_job()
    with pytest.raises(Conflict):
        store.samples.remove(upload.tenant, upload.others.id)
    prepared(store, job_id)
    commit_all(store, job_id)
    store.samples.remove(upload.tenant, upload.others.id)


def test_auxiliary_samples_that_went_away_since_admission_are_missed(store: Store, upload: SpanningUpload) -> None:
    store.samples.remove(upload.tenant, upload.others.id)
    with pytest.raises(NotFound):
        upload.spanning_job()


LEFT = Preparation(artifact=digest("e"), seconds=1.0)
AND_ON = Commit(fields={"prepared": LEFT.model_dump_json()}, digests=(LEFT.artifact,), goes_on=True)
AT_LAST = Commit(fields=IN_COMMIT.fields, digests=IN_COMMIT.digests, given_up=(LEFT.artifact,))


def test_a_preparation_goes_on_in_units_each_of_which_begins_with_what_the_last_one_left(
    store: Store, upload: SpanningUpload, queue: NotedQueue, library: NotedLibrary
) -> None:
    job_id = upload.spanning_job()
    first = taken(store, job_id)
    assert store.leases.commit(first, AND_ON)
    assert queue.sent() == [Dispatch("compute", job_id, 0)], "not its chunks yet"
    second = taken(store, job_id)
    assert (second.work, second.prepared, second.attempt) == ("prepare", LEFT, 1), "the attempts are of a unit"
    assert store.leases.commit(first, AND_ON) is False, "the unit before stands no more"
    assert store.leases.commit(second, AT_LAST)
    assert library.deleted() == [LEFT.artifact], "what was left to the next unit is needed no more"
    chunk = taken(store, job_id)
    assert (chunk.work, chunk.prepared) == ("run", MADE)
    store.leases.release(chunk)
    commit_all(store, job_id)
    assert store.jobs.get(upload.tenant, job_id).summary.prepare == MADE


def test_a_unit_that_is_lost_begins_again_with_what_was_left(store: Store, queue: NotedQueue, after: After) -> None:
    job_id = SpanningUpload(store, queue).spanning_job()
    assert store.leases.commit(taken(store, job_id), AND_ON)
    taken(store, job_id)
    after(1.3 * LEASE_SECONDS)
    store.moves.reap()
    again = taken(store, job_id)
    assert (again.work, again.prepared, again.attempt) == ("prepare", LEFT, 2)


def test_a_job_cancelled_between_units_ends_at_once_and_within_one_with_it(
    store: Store, upload: SpanningUpload, queue: NotedQueue
) -> None:
    between, within = upload.spanning_job(), upload.spanning_job()
    assert store.leases.commit(taken(store, between), AND_ON)
    store.jobs.cancel(upload.tenant, between)
    lease = taken(store, within)
    store.jobs.cancel(upload.tenant, within)
    queue.sent()
    assert store.leases.commit(lease, AND_ON)
    assert queue.sent() == []
    for job_id in (between, within):
        assert store.jobs.get(upload.tenant, job_id).state == JobState.CANCELLED


def test_how_far_a_preparation_has_come_is_seen_until_it_is_over(store: Store, upload: SpanningUpload) -> None:
    def seen() -> float | None:
        return store.jobs.get(upload.tenant, job_id).progress.preparing

    job_id = upload.spanning_job()
    assert seen() is None
    first = taken(store, job_id)
    store.leases.beat(first, Progress(preparing=0.25))
    assert seen() == 0.25
    assert store.leases.commit(first, AND_ON)
    assert seen() == 0.25, "between two units, too"
    second = taken(store, job_id)
    store.leases.beat(second, Progress(preparing=0.75))
    assert seen() == 0.75
    assert store.leases.commit(second, AT_LAST)
    assert seen() is None
