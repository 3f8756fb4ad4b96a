"""The `surrogate` stage: another model is attacked before all chunks, in the queue of uploads, and held so long."""

import pytest

from algorithms.errors import Conflict, NotFound
from jobs.admission.admission import admit
from jobs.states import JobState
from jobs.store.store import Store
from jobs.summary import Preparation
from jobs.work.lease import Commit
from jobs.work.queue import Dispatch
from tests.jobs_for_tests import NotedLibrary, NotedQueue, Upload, commit_all, digest, ready_card, request, taken

FOUND = Preparation(artifact=digest("d"), queries=40, gradients=900, seconds=1.5)
IN_COMMIT = Commit(fields={"prepared": FOUND.model_dump_json()}, digests=(FOUND.artifact,))


class TransferUpload(Upload):
    """With a job on an endpoint, or on an uploaded model, that attacks another model first."""

    def __init__(self, store: Store, queue: NotedQueue) -> None:
        super().__init__(store)
        self._queue = queue
        self.surrogate = ready_card(bytes_of="e").model_copy(update={"id": "mdl_" + "s" * 22})
        store.models.add(self.tenant, self.surrogate)

    def job(self, queue: str = "compute") -> str:
        asked = request(self.model, self.samples, method={"name": "transfer"}, surrogate_model_id=self.surrogate.id)
        spec = admit(asked, self.model, self.samples, surrogate=self.surrogate)
        self._queue.sent()
        job = self.store.jobs.create(self.tenant, spec.model_copy(update={"chunk_size": 4, "queue": queue}))
        assert self._queue.sent() == [Dispatch("compute", job.id, 0)], "nothing else can be done yet"
        return job.id


@pytest.fixture
def upload(store: Store, queue: NotedQueue) -> TransferUpload:
    return TransferUpload(store, queue)


def test_chunks_wait_in_their_own_queue_until_the_surrogate_is_attacked(
    store: Store, upload: TransferUpload, queue: NotedQueue
) -> None:
    job_id = upload.job(queue="probe")
    lease = taken(store, job_id)
    assert (lease.work, lease.model.id, lease.spec.model.id) == ("surrogate", upload.surrogate.id, upload.model.id)
    assert store.leases.commit(lease, IN_COMMIT)
    assert {d.queue for d in queue.sent()} == {"probe"}
    chunk = taken(store, job_id)
    assert (chunk.work, chunk.model.id, chunk.prepared) == ("run", upload.model.id, FOUND)


def test_what_the_surrogate_was_asked_is_a_line_of_its_own(store: Store, upload: TransferUpload) -> None:
    job_id = upload.job()
    assert store.leases.commit(taken(store, job_id), IN_COMMIT)
    commit_all(store, job_id)
    job = store.jobs.get(upload.tenant, job_id)
    assert (job.state, job.summary.prepare) == (JobState.SUCCEEDED, FOUND)
    assert job.summary.queries.total == 20, "the chunks' alone"


def test_a_surrogate_is_in_use_while_the_job_lives(store: Store, upload: TransferUpload) -> None:
    job_id = upload.job()
    with pytest.raises(Conflict):
        store.models.remove(upload.tenant, upload.surrogate.id)
    store.jobs.cancel(upload.tenant, job_id)
    store.models.remove(upload.tenant, upload.surrogate.id)


def test_a_surrogate_that_went_away_since_admission_is_missed(store: Store, upload: TransferUpload) -> None:
    store.models.remove(upload.tenant, upload.surrogate.id)
    with pytest.raises(NotFound):
        upload.job()


def test_the_job_holds_the_points_that_were_found(store: Store, upload: TransferUpload, library: NotedLibrary) -> None:
    job_id = upload.job()
    assert store.leases.commit(taken(store, job_id), IN_COMMIT)
    store.jobs.remove(upload.tenant, job_id)
    assert FOUND.artifact in library.deleted()
