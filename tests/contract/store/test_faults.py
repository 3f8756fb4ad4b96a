"""A chunk that fails half-way: what it had found is kept where the job ends by it, and only there."""

import pytest

from jobs.states import JobState
from jobs.store.store import Store
from jobs.work.lease import Commit
from tests.jobs_for_tests import Upload, digest, result, taken

GONE = {"code": "endpoint_unavailable", "detail": "It did not answer."}


def test_what_was_found_before_the_end_is_kept_and_counted(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    store.leases.commit(taken(store, job_id), Commit(result=result((0, 1, 2, 3))))
    store.leases.fail(taken(store, job_id, 1), **GONE, retry=False, partial=result((5, 7), adversarials=digest("d")))
    job = store.jobs.get(upload.tenant, job_id)
    assert (job.state, job.error.code) == (JobState.FAILED, "endpoint_unavailable")
    assert [finding.index for finding in store.findings.page(upload.tenant, job_id).items] == [0, 1, 2, 3, 5, 7]
    assert (job.progress.samples_done, job.progress.queries, job.progress.gradients) == (6, 12, 18)
    assert store.findings.adversarial_digests(upload.tenant, job_id) == [digest("d")]


def test_pages_go_on_after_a_chunk_with_holes(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    store.leases.commit(taken(store, job_id), Commit(result=result((0, 1, 2, 3))))
    store.leases.fail(taken(store, job_id, 1), **GONE, retry=False, partial=result((6,)))
    first = store.findings.page(upload.tenant, job_id, limit=3)
    rest = store.findings.page(upload.tenant, job_id, first.next_cursor, limit=3)
    assert [finding.index for finding in (*first.items, *rest.items)] == [0, 1, 2, 3, 6]
    assert rest.next_cursor is None


def test_a_chunk_that_is_tried_again_keeps_nothing_of_the_first_try(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    store.leases.fail(taken(store, job_id), **GONE, retry=True, partial=result((0,)))
    job = store.jobs.get(upload.tenant, job_id)
    assert (job.state, job.progress.queries) == (JobState.RUNNING, 0)
    assert store.findings.page(upload.tenant, job_id).items == ()


def test_a_cancelled_job_keeps_what_was_found_by_then(store: Store, upload: Upload) -> None:
    job_id = upload.job()
    lease = taken(store, job_id)
    store.jobs.cancel(upload.tenant, job_id)
    store.leases.fail(lease, **GONE, retry=False, partial=result((0, 1)))
    job = store.jobs.get(upload.tenant, job_id)
    assert (job.state, job.error) == (JobState.CANCELLED, None)
    assert [finding.index for finding in store.findings.page(upload.tenant, job_id).items] == [0, 1]


@pytest.mark.parametrize("partial", [None, (0,)])
def test_a_stale_lease_fails_nothing(store: Store, upload: Upload, partial: tuple[int, ...] | None) -> None:
    job_id = upload.job()
    lease = taken(store, job_id)
    store.leases.release(lease)
    taken(store, job_id)
    store.leases.fail(lease, **GONE, retry=False, partial=None if partial is None else result(partial))
    assert store.jobs.get(upload.tenant, job_id).state == JobState.RUNNING
    assert store.findings.page(upload.tenant, job_id).items == ()
