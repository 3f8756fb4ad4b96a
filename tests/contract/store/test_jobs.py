"""The life of a job in the store, as its caller sees it."""

import pytest
import redis

from algorithms.errors import Conflict, NotFound, RateLimited, Refused
from algorithms.seam.claims import Kind
from audits.store import Audits
from jobs.idempotency import Idempotency
from jobs.record import Progress
from jobs.states import JobState
from jobs.store.store import Store
from jobs.work.lease import Commit
from jobs.work.queue import Dispatch
from tests.jobs_for_tests import MakeStore, NotedLibrary, NotedQueue, Upload, commit_all, digest, finding, result, taken

JOB_JSON = {
    *("id", "state", "method", "request", "hints", "progress", "summary", "details", "error"),
    *("created_at", "started_at", "finished_at", "links"),
}


def test_a_job_goes_from_queued_through_running_to_succeeded(store: Store, upload: Upload, queue: NotedQueue) -> None:
    queue.sent()
    job = store.jobs.create("lab", upload.spec())
    assert job.state == JobState.QUEUED
    assert queue.sent() == [Dispatch("compute", job.id, chunk) for chunk in (0, 1, 2)]
    lease = taken(store, job.id)
    assert store.jobs.get("lab", job.id).state == JobState.RUNNING
    store.leases.release(lease)
    assert queue.sent() == [Dispatch("compute", job.id, 0)]
    commit_all(store, job.id)
    ended = store.jobs.get("lab", job.id)
    assert ended.state == JobState.SUCCEEDED
    assert ended.created_at <= ended.started_at <= ended.finished_at
    assert (ended.progress.samples_done, ended.progress.fraction) == (10, 1.0)
    assert (ended.progress.queries, ended.progress.gradients) == (20, 30)
    assert ended.summary.counts == {"estimate": 10}


def test_the_json_of_a_job_has_the_fields_of_the_contract(store: Store, upload: Upload) -> None:
    shown = store.jobs.get("lab", upload.job()).model_dump(mode="json")
    assert set(shown) == JOB_JSON
    assert shown["request"]["threat"] == {"norm": "l2", "box": [0.0, 1.0], "epsilon": None, "goal": "untargeted"}
    assert shown["request"]["samples"] == {"limit": 10}
    assert shown["request"]["budget"]["queries_per_sample"] == 10_000
    assert shown["request"]["method"]["preset"] == "quick"


def test_a_job_tells_its_method_with_its_version_and_all_its_parameters(store: Store, upload: Upload) -> None:
    spec = upload.spec().model_copy(update={"method_version": "7"})
    shown = store.jobs.create("lab", spec).method
    assert (shown.name, shown.version) == ("clever", "7")
    assert shown.params == spec.request.method.model_dump(exclude={"name"})


def test_a_job_of_an_older_installation_ran_the_first_version(
    store: Store, upload: Upload, server: "redis.Redis[str]"
) -> None:
    job_id = store.jobs.create("lab", upload.spec().model_copy(update={"method_version": "7"})).id
    assert server.hdel(f"{{brinell}}:t:lab:job:{job_id}", "method_version") == 1
    assert store.jobs.get("lab", job_id).method.version == "1"


def test_findings_come_in_pages_in_the_order_of_the_selection(store: Store, upload: Upload) -> None:
    order = [9, 3, 5, 0, 1]
    job_id = upload.job(samples={"indices": order}, chunk_size=2)
    commit_all(store, job_id)
    seen, cursor = [], None
    while True:
        page = store.findings.page("lab", job_id, cursor, limit=2)
        seen += [f.index for f in page.items]
        assert len(page.items) <= 2
        if (cursor := page.next_cursor) is None:
            break
    assert seen == order


def test_findings_of_a_live_job_are_those_committed_by_now(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    assert store.findings.page("lab", job_id).items == ()
    lease = taken(store, job_id, 1)
    store.leases.commit(lease, Commit(result=result(lease.indices)))
    assert [f.index for f in store.findings.page("lab", job_id).items] == [4, 5, 6, 7]


@pytest.mark.parametrize("cursor", ["x", "-1", "1e3", "٣", "9" * 40])
def test_a_cursor_that_was_never_given_out_is_refused(store: Store, upload: Upload, cursor: str) -> None:
    with pytest.raises(Refused) as refusal:
        store.findings.page("lab", upload.job(), cursor)
    assert (refusal.value.code, refusal.value.pointer) == ("invalid_request", None)


def test_lists_are_newest_first_in_pages_and_by_state(store: Store, upload: Upload) -> None:
    ids = [upload.job() for _ in range(5)]
    store.jobs.cancel("lab", ids[2])
    first = store.jobs.page("lab", limit=3)
    second = store.jobs.page("lab", cursor=first.next_cursor, limit=3)
    assert [job.id for job in first.items + second.items] == ids[::-1]
    assert second.next_cursor is None
    assert [job.id for job in store.jobs.page("lab", JobState.CANCELLED).items] == [ids[2]]
    assert [job.id for job in store.jobs.page("lab", JobState.QUEUED, limit=1).items] == [ids[4]]


def test_a_list_that_ends_with_its_page_has_no_next_page(store: Store, upload: Upload) -> None:
    for _ in range(2):
        upload.job()
    assert store.jobs.page("lab", limit=2).next_cursor is None


def test_a_queued_job_is_cancelled_at_once(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    job = store.jobs.cancel("lab", job_id)
    assert job.state == JobState.CANCELLED
    assert store.leases.acquire(job_id, 0) is None


def test_a_running_job_is_cancelled_by_its_worker_and_keeps_its_findings(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    first, second = taken(store, job_id, 0), taken(store, job_id, 1)
    store.leases.commit(first, Commit(result=result(first.indices)))
    assert store.jobs.cancel("lab", job_id).state == JobState.RUNNING
    assert store.leases.acquire(job_id, 2) is None
    assert store.leases.beat(second, Progress()) == "cancel"
    accepted = store.leases.commit(second, Commit(result=result(second.indices[:1])))
    assert accepted
    assert store.jobs.get("lab", job_id).state == JobState.CANCELLED
    assert [f.index for f in store.findings.page("lab", job_id).items] == [0, 1, 2, 3, 4]


def test_a_cancelled_job_ends_with_the_last_of_its_leases(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    first, second, third = (taken(store, job_id, chunk) for chunk in range(3))
    store.jobs.cancel("lab", job_id)
    store.leases.fail(first, "model_fault", "It crashed.", retry=False)
    store.leases.release(second)
    assert store.jobs.get("lab", job_id).state == JobState.RUNNING
    store.leases.commit(third, Commit(result=result(third.indices)))
    assert store.jobs.get("lab", job_id).state == JobState.CANCELLED


def test_cancelling_an_ended_job_changes_nothing(store: Store, upload: Upload, queue: NotedQueue) -> None:
    job_id = upload.job()
    commit_all(store, job_id)
    version = store.objects.version("lab", job_id)
    queue.sent()
    job = store.jobs.cancel("lab", job_id)
    assert job.state == JobState.SUCCEEDED
    assert (queue.sent(), store.objects.version("lab", job_id)) == ([], version)


def test_a_live_job_holds_its_model_and_samples_in_use(store: Store, upload: Upload, library: NotedLibrary) -> None:
    job_id = upload.job()
    for remove in (
        lambda: store.models.remove("lab", upload.model.id),
        lambda: store.samples.remove("lab", upload.samples.id),
    ):
        with pytest.raises(Conflict, match="live job") as conflict:
            remove()
        assert conflict.value.code == "in_use"
    commit_all(store, job_id)
    store.models.remove("lab", upload.model.id)
    store.samples.remove("lab", upload.samples.id)
    assert library.deleted() == [upload.model.sha256, upload.samples.sha256]
    assert store.jobs.get("lab", job_id).state == JobState.SUCCEEDED


def test_a_job_whose_model_went_away_since_its_admission_is_not_made(store: Store, upload: Upload) -> None:
    spec = upload.spec()
    store.models.remove("lab", upload.model.id)
    with pytest.raises(NotFound):
        store.jobs.create("lab", spec)
    assert store.jobs.page("lab").items == ()


def test_removing_a_live_job_ends_its_leases(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    lease = taken(store, job_id)
    store.jobs.remove("lab", job_id)
    assert store.leases.beat(lease, Progress()) == "lost"
    assert store.leases.commit(lease, Commit(result=result(lease.indices))) is False
    with pytest.raises(NotFound):
        store.jobs.get("lab", job_id)
    assert store.jobs.page("lab").items == ()


def test_every_change_grows_the_version(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    seen = [store.objects.version("lab", job_id)]
    lease = taken(store, job_id)
    seen.append(store.objects.version("lab", job_id))
    store.leases.beat(lease, Progress(samples_done=1, samples_total=4, fraction=0.25))
    seen.append(store.objects.version("lab", job_id))
    store.leases.beat(lease, Progress(samples_done=1, samples_total=4, fraction=0.25))
    assert store.objects.version("lab", job_id) == seen[-1]
    store.leases.commit(lease, Commit(result=result(lease.indices)))
    seen.append(store.objects.version("lab", job_id))
    store.jobs.cancel("lab", job_id)
    seen.append(store.objects.version("lab", job_id))
    assert seen == sorted(set(seen))


def test_progress_adds_what_is_committed_and_what_workers_say(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    first, second = taken(store, job_id, 0), taken(store, job_id, 1)
    store.leases.commit(first, Commit(result=result(first.indices)))
    store.leases.beat(second, Progress(samples_done=2, samples_total=4, queries=7, gradients=9, fraction=0.5))
    progress = store.jobs.get("lab", job_id).progress
    assert (progress.samples_done, progress.samples_total) == (6, 10)
    assert (progress.queries, progress.gradients) == (8 + 7, 12 + 9)
    assert progress.fraction == pytest.approx(0.6)
    assert progress.eta_seconds is not None
    assert progress.eta_seconds >= 0
    assert store.jobs.get("lab", job_id).progress == progress


def test_the_same_idempotency_key_gives_the_same_job(store: Store, upload: Upload, queue: NotedQueue) -> None:
    once = Idempotency("k", "print")
    assert store.objects.replayed("lab", once) is None
    first = store.jobs.create("lab", upload.spec(), once)
    queue.sent()
    again = store.jobs.create("lab", upload.spec(), once)
    assert again == first
    assert queue.sent() == []
    assert store.objects.replayed("lab", once) == first.id
    assert len(store.jobs.page("lab").items) == 1


def test_an_idempotency_key_with_another_request_is_refused(store: Store, upload: Upload) -> None:
    store.jobs.create("lab", upload.spec(), Idempotency("k", "print"))
    for retry in (
        lambda: store.jobs.create("lab", upload.spec(), Idempotency("k", "other")),
        lambda: store.objects.replayed("lab", Idempotency("k", "other")),
    ):
        with pytest.raises(Refused) as refusal:
            retry()
        assert refusal.value.code == "idempotency_key_reused"


def test_an_idempotency_key_of_another_tenant_is_another_key(store: Store, upload: Upload) -> None:
    once = Idempotency("k", "print")
    job = store.jobs.create("lab", upload.spec(), once)
    other = store.jobs.create("else", Upload(store, "else").spec(), once)
    assert other.id != job.id


def test_adversarial_points_are_held_by_their_job(store: Store, upload: Upload, library: NotedLibrary) -> None:
    job_id = upload.job(chunk_size=5)
    for chunk, letter in ((1, "d"), (0, "c")):
        lease = taken(store, job_id, chunk)
        store.holdings.hold("lab", job_id, digest(letter), 10)
        store.leases.commit(lease, Commit(result=result(lease.indices, adversarials=digest(letter))))
    assert store.findings.adversarial_digests("lab", job_id) == [digest("c"), digest("d")]
    store.jobs.remove("lab", job_id)
    assert sorted(library.deleted()) == [digest("c"), digest("d")]


def test_the_summary_is_of_all_chunks_whoever_committed_last(store: Store, upload: Upload) -> None:
    job_id = upload.job(chunk_size=5)
    late, early = taken(store, job_id, 0), taken(store, job_id, 1)
    wrong = tuple(finding(i, Kind.MISCLASSIFIED, 0.0, predicted=2) for i in early.indices)
    store.leases.commit(early, Commit(result=result(early.indices, findings=wrong)))
    store.leases.commit(late, Commit(result=result(late.indices)))
    summary = store.jobs.get("lab", job_id).summary
    assert summary.counts == {"estimate": 5, "misclassified": 5}
    assert summary.clean_accuracy.value == 0.5


def test_the_backlog_counts_jobs_by_state(store: Store, upload: Upload) -> None:
    ids = [upload.job() for _ in range(3)]
    commit_all(store, ids[0])
    taken(store, ids[1])
    backlog = store.backlog()
    assert (backlog.jobs[JobState.SUCCEEDED], backlog.jobs[JobState.RUNNING], backlog.jobs[JobState.QUEUED]) == (
        1,
        1,
        1,
    )
    assert (backlog.chunks_waiting, backlog.chunks_running) == (5, 1)


def test_a_tenant_has_so_many_live_jobs_and_no_more(make_store: MakeStore) -> None:
    store = make_store(live_jobs=3, jobs_in_flight=1)
    ours, theirs = Upload(store), Upload(store, "else")
    first = ours.job()
    ours.job()
    ours.audit()  # of two jobs, where there was room for one
    for create in (lambda: store.jobs.create("lab", ours.spec()), lambda: Audits(store).create("lab", ours.plan())):
        with pytest.raises(RateLimited) as refusal:
            create()
        assert refusal.value.retry_after > 0
    assert len(store.jobs.page("lab").items) == 4
    theirs.job()
    store.jobs.cancel("lab", first)
    with pytest.raises(RateLimited):
        ours.job()
    store.jobs.cancel("lab", store.jobs.page("lab").items[-2].id)
    assert ours.job()


def test_what_was_made_before_is_found_again_among_as_many_jobs_as_may_be(make_store: MakeStore) -> None:
    store, once = make_store(live_jobs=1), Idempotency("k", "print")
    ours = Upload(store)
    first = store.jobs.create("lab", ours.spec(), once)
    assert store.jobs.create("lab", ours.spec(), once).id == first.id
