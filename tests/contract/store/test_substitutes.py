"""The stages of a job that trains a substitute: asked and trained in turns, each in its queue; then it is attacked."""

import pytest

from jobs.admission.admission import admit
from jobs.installation.settings import Settings
from jobs.states import JobState
from jobs.store.store import Store
from jobs.summary import Preparation
from jobs.work.lease import Commit, JobLease
from jobs.work.queue import Dispatch
from tests.contract.store.passing import After
from tests.jobs_for_tests import NotedLibrary, NotedQueue, Upload, commit_all, digest, ready_card, request, taken

METHOD = {"name": "substitute", "seed_rows": 4, "held_out": 2, "oracle_queries": 7, "rounds": 1}
TRAINED = ready_card(bytes_of="9").model_copy(update={"id": "mdl_" + "9" * 22, "sha256": digest("9")})


def answered(queries: int, artifact: str, **changes: object) -> Commit:
    made = Preparation(artifact=digest(artifact), queries=queries, seconds=1.0)
    return Commit(fields={"prepared": made.model_dump_json()}, digests=(made.artifact,), **changes)


class LearningUpload(Upload):
    """With a job that trains a substitute of an endpoint, or of an uploaded model."""

    def __init__(self, store: Store, queue: NotedQueue) -> None:
        super().__init__(store)
        self._queue = queue

    def job(self, queue: str = "compute") -> str:
        asked = request(self.model, self.samples, method=METHOD)
        spec = admit(asked, self.model, self.samples, auxiliary=self.samples)
        self._queue.sent()
        job = self.store.jobs.create(self.tenant, spec.model_copy(update={"chunk_size": 4, "queue": queue}))
        assert self._queue.sent() == [Dispatch(queue, job.id, 0)], "nothing else can be done yet"
        return job.id


@pytest.fixture
def upload(store: Store, queue: NotedQueue) -> LearningUpload:
    return LearningUpload(store, queue)


def trained(store: Store, job_id: str) -> JobLease:
    """All rounds; the lease that attacks the substitute."""
    for queries, artifact in ((6, "c"), (7, "d")):
        assert store.leases.commit(taken(store, job_id), answered(queries, artifact))
        lease = taken(store, job_id)
        assert lease.work == "imitate"
        more = {"substitute": TRAINED.model_dump_json()} if queries == 7 else {}
        commit = answered(queries, artifact)
        kept = (TRAINED.sha256,) if more else ()
        assert store.leases.commit(lease, Commit(fields={**commit.fields, **more}, digests=(*commit.digests, *kept)))
    return taken(store, job_id)


def test_rounds_take_turns_between_the_model_s_queue_and_the_one_that_reaches_no_network(
    store: Store, upload: LearningUpload, queue: NotedQueue
) -> None:
    job_id = upload.job(queue="probe")
    works, queues = [], []
    for queries, artifact in ((6, "c"), (6, "d"), (7, "e")):
        lease = taken(store, job_id)
        works.append(lease.work)
        assert (lease.endpoint, lease.model.id == upload.model.id) == (None, lease.work == "query")
        assert store.leases.commit(lease, answered(queries, artifact))
        queues += [d.queue for d in queue.sent()]
    assert works == ["query", "imitate", "query"]
    assert queues == ["compute", "probe", "compute"]


def test_a_stage_that_goes_on_is_taken_again_before_the_next_one(store: Store, upload: LearningUpload) -> None:
    job_id = upload.job()
    assert store.leases.commit(taken(store, job_id), answered(3, "c", goes_on=True))
    again = taken(store, job_id)
    assert (again.work, again.attempt, again.prepared.queries) == ("query", 1, 3)
    assert store.leases.commit(again, answered(6, "d", given_up=(digest("c"),)))
    assert taken(store, job_id).work == "imitate"


def test_the_trained_substitute_is_what_is_attacked(store: Store, upload: LearningUpload, queue: NotedQueue) -> None:
    job_id = upload.job(queue="probe")
    lease = trained(store, job_id)
    assert (lease.work, lease.model, lease.spec.model.id) == ("surrogate", TRAINED, upload.model.id)
    assert lease.spec.on_surrogate().model == TRAINED
    queue.sent()
    assert store.leases.commit(lease, answered(7, "f"))
    assert {d.queue for d in queue.sent()} == {"probe"}
    chunk = taken(store, job_id)
    assert (chunk.work, chunk.model.id, chunk.is_last_stage) == ("run", upload.model.id, True)


def test_a_lost_unit_is_done_again_and_its_rows_are_counted_once(store: Store, queue: NotedQueue, after: After) -> None:
    job_id = LearningUpload(store, queue).job()
    late = taken(store, job_id)
    after(1.3 * Settings().lease_seconds)
    store.moves.reap()
    again = taken(store, job_id)
    assert store.leases.commit(again, answered(6, "c"))
    assert store.leases.commit(late, answered(6, "d")) is False
    assert taken(store, job_id).prepared.queries == 6


def test_what_the_model_was_asked_to_learn_from_is_a_line_of_its_own(store: Store, upload: LearningUpload) -> None:
    job_id = upload.job()
    assert store.leases.commit(trained(store, job_id), answered(7, "f"))
    commit_all(store, job_id)
    job = store.jobs.get(upload.tenant, job_id)
    assert (job.state, job.summary.prepare.queries) == (JobState.SUCCEEDED, 7)
    assert job.summary.queries.total == 20, "the chunks' alone"


def test_a_job_cancelled_between_units_ends_without_another(
    store: Store, upload: LearningUpload, queue: NotedQueue
) -> None:
    job_id = upload.job()
    lease = taken(store, job_id)
    store.jobs.cancel(upload.tenant, job_id)
    queue.sent()
    assert store.leases.commit(lease, answered(6, "c"))
    assert queue.sent() == []
    assert store.jobs.get(upload.tenant, job_id).state == JobState.CANCELLED


def test_the_job_holds_the_substitute_until_it_is_removed(
    store: Store, upload: LearningUpload, library: NotedLibrary
) -> None:
    job_id = upload.job()
    trained(store, job_id)
    store.jobs.remove(upload.tenant, job_id)
    assert TRAINED.sha256 in library.deleted()
