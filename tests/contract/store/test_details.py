"""Details of findings stay small in Redis; nothing of them is lost, and nothing outlives its job."""

import json

import pytest
import redis

from algorithms.errors import NotFound
from algorithms.seam.claims import Details, Kind
from audits.evidence.efforts import effort
from jobs.store.details import MOST_BYTES
from jobs.store.store import Store
from jobs.work.lease import Commit
from tests.jobs_for_tests import NotedLibrary, Upload, finding, result, taken

VOTES = {str(label): label % 7 + 1 for label in range(2_000)}
SMALL: Details = {"top_class": 3, "p_lower": 0.75, "counts": {"3": 90, "1": 10}}
LARGE: Details = {"top_class": 3, "p_lower": 0.75, "counts": VOTES, "selection_counts": dict(list(VOTES.items())[:40])}
ODD: Details = {f"part_{n}": "é" * 100 for n in range(30)}  # none is large, all together are
TRACE = [[round(1.25**n), 1e-3 * (1000 - n) / 7] for n in range(90)]  # as long as a billion queries make it
WARNINGS = ["few_batches", "fit_rejected", "gradient_partly_masked", "above_first_order_distance", "beyond_box"]
READ: Details = {"trace": TRACE, "warnings": WARNINGS, "interval": [0.1, 0.2], "read_as": 3, "reason": "not_confirmed"}


def committed(store: Store, upload: Upload, *details: Details) -> str:
    job_id = upload.job(samples={"limit": len(details)}, chunk_size=len(details))
    lines = tuple(finding(index, details=told) for index, told in enumerate(details))
    assert store.leases.commit(taken(store, job_id), Commit(result=result(()).model_copy(update={"findings": lines})))
    return job_id


def test_what_is_large_is_moved_and_the_rest_stays(
    store: Store, upload: Upload, library: NotedLibrary, server: "redis.Redis[str]"
) -> None:
    job_id = committed(store, upload, SMALL, LARGE, ODD)
    small, large, odd = (line.details for line in store.findings.page("lab", job_id).items)
    assert small == SMALL
    assert large | {"counts": None} == LARGE | {"counts": None}, "the largest part alone"
    assert json.loads(library.get(large["counts"]["sha256"])) == VOTES
    assert large["counts"]["bytes"] == len(library.get(large["counts"]["sha256"]))
    assert all(len(json.dumps(told, ensure_ascii=False).encode()) <= 1.1 * MOST_BYTES for told in (small, large, odd))
    assert len(server.hget(f"{{brinell}}:t:lab:job:{job_id}:chunks", "0") or "") < 3 * MOST_BYTES


def test_what_reports_read_stays_and_the_methods_own_parts_go(store: Store, upload: Upload) -> None:
    """Also where each of those parts is smaller than the trace."""
    own: Details = {f"part_{n}": "x" * 200 for n in range(12)}
    job_id = committed(store, upload, READ | own, READ | {"counts": VOTES})
    for line in store.findings.page("lab", job_id).items:
        assert line.details | READ == line.details
        assert len(json.dumps(line.details)) <= 1.1 * MOST_BYTES
        curve = effort("pgd", [line.model_copy(update={"kind": Kind.UPPER_BOUND})])
        assert curve and curve.points[0].found == 1


def test_not_even_what_reports_read_may_fill_the_store(store: Store, upload: Upload) -> None:
    job_id = committed(store, upload, {"trace": TRACE * 100, "warnings": WARNINGS})
    (line,) = store.findings.page("lab", job_id).items
    assert set(line.details["trace"]) == {"sha256", "bytes"} and line.details["warnings"] == WARNINGS
    assert store.findings.get("lab", job_id, 0).details["trace"] == TRACE * 100


def test_one_finding_is_read_whole(store: Store, upload: Upload) -> None:
    job_id = committed(store, upload, SMALL, LARGE, ODD)
    assert [store.findings.get("lab", job_id, index).details for index in range(3)] == [SMALL, LARGE, ODD]


def test_a_finding_that_is_not_there_is_not_found(store: Store, upload: Upload) -> None:
    job_id = upload.job(samples={"indices": [7, 2, 5]}, chunk_size=2)
    store.leases.commit(taken(store, job_id), Commit(result=result((7, 2))))
    assert [store.findings.get("lab", job_id, index).index for index in (2, 7)] == [2, 7]
    for index in (5, 0, -1, 10**30):
        with pytest.raises(NotFound):
            store.findings.get("lab", job_id, index)


def test_what_was_found_before_a_fault_is_shortened_too(store: Store, upload: Upload, library: NotedLibrary) -> None:
    job_id = upload.job(samples={"limit": 2}, chunk_size=2)
    before = result(()).model_copy(update={"findings": (finding(1, details=LARGE),)})
    store.leases.fail(taken(store, job_id), "endpoint_unavailable", "Gone.", retry=False, partial=before)
    (kept,) = store.findings.page("lab", job_id).items
    assert set(kept.details["counts"]) == {"sha256", "bytes"}
    assert store.findings.get("lab", job_id, 1).details == LARGE
    with pytest.raises(NotFound):
        store.findings.get("lab", job_id, 0)


def test_the_parts_go_with_their_job(store: Store, upload: Upload, library: NotedLibrary) -> None:
    job_id = committed(store, upload, LARGE)
    (kept,) = store.findings.page("lab", job_id).items
    store.jobs.remove("lab", job_id)
    assert library.deleted() == [kept.details["counts"]["sha256"]]


def test_seconds_of_a_curve_are_read_with_one_finding_and_are_in_no_list(store: Store, upload: Upload) -> None:
    job_id = upload.job(samples={"limit": 2}, chunk_size=2)
    lines = (finding(0, details={"curve": [[1, 0.5], [4, 0.75]]}), finding(1))
    told = result(()).model_copy(update={"findings": lines, "curve_seconds": {0: (0.25, 1.5)}})
    assert store.leases.commit(taken(store, job_id), Commit(result=told))
    assert store.findings.page("lab", job_id).items == lines
    assert [store.findings.get("lab", job_id, index).curve_seconds for index in (0, 1)] == [(0.25, 1.5), None]
    whole = store.findings.get("lab", job_id, 0)
    assert whole.model_dump(exclude={"curve_seconds"}) == lines[0].model_dump()
