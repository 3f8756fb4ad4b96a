"""What a phase leaves to the next: the nearest point and the largest proof, whichever job ended first."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.seam.claims import Kind
from algorithms.seam.hint import Hint
from audits.asking.admission import admit
from audits.asking.request import AuditRequest
from audits.evidence.evidence import Evidence
from audits.evidence.hints import hints
from jobs.record import Job, JobMethod, Progress
from jobs.states import JobState
from tests.jobs_for_tests import NOW, SHAPE, finding, ready_card, samples_card


def evidence(method: str, *findings, state: JobState = JobState.SUCCEEDED) -> Evidence:
    card, samples = ready_card(), samples_card()
    body = {"model_id": card.id, "samples_id": samples.id, "recipe": [method]}
    (spec,) = admit(AuditRequest.model_validate(body), card, samples).jobs
    job = Job(
        id=f"job_{method}",
        method=JobMethod(name=method, version="1", params={}),
        state=state,
        request=spec.request,
        progress=Progress(),
        created_at=NOW,
    )
    return Evidence(job, spec, findings)


def found(index: int, value: float):
    return finding(index, Kind.UPPER_BOUND, value)


def proved(index: int, value: float):
    return finding(index, Kind.LOWER_BOUND, value)


def row(job_id: str, index: int):
    """A point that tells whose it is."""
    return np.full(SHAPE, {"job_square": 1, "job_pgd": 2, "job_noise": 3}[job_id] + index / 10, np.float32)


def points(job_id, wanted):
    return {index: row(job_id, index) for index in wanted}


def told(*jobs: Evidence, most: int = 100, points=points) -> dict[int, Hint]:
    return hints(jobs, points, most_points=most)


SQUARE = evidence("square", found(0, 0.5), found(1, 0.2), finding(2, Kind.ABSTAINED, None))
PGD = evidence("pgd", found(0, 0.3), found(1, 0.4), finding(3, Kind.MISCLASSIFIED, 0.0))


def test_each_sample_is_told_its_nearest_point_whoever_found_it():
    known = told(SQUARE, PGD)
    assert {index: hint.reached for index, hint in known.items()} == {0: 0.3, 1: 0.2}
    np.testing.assert_array_equal(known[0].point, row("job_pgd", 0))
    np.testing.assert_array_equal(known[1].point, row("job_square", 1))


def test_the_largest_proof_counts_and_an_estimate_or_a_smoothed_radius_never():
    proofs = replace(SQUARE, findings=(proved(0, 0.1),))
    more = replace(PGD, findings=(proved(0, 0.2), proved(1, 0.0)))
    beside = replace(PGD, findings=(finding(2, Kind.ESTIMATE, 0.9), finding(4, Kind.SMOOTHED_LOWER_BOUND, 0.9)))
    known = told(proofs, more, beside)
    assert {index: hint.proven for index, hint in known.items()} == {0: 0.2}
    assert known[0].reached == np.inf and known[0].point is None


def test_a_radius_that_holds_with_a_probability_is_told_to_nobody():
    likely = finding(0, Kind.LOWER_BOUND, 0.4).model_copy(update={"confidence": 0.999})
    beside = finding(0, Kind.UPPER_BOUND, 0.5, details={"lower": 0.3, "lower_confidence": 0.99})
    certain = finding(0, Kind.UPPER_BOUND, 0.5, details={"lower": 0.2, "lower_confidence": 1.0})
    assert told(replace(SQUARE, findings=(likely,))) == {}
    for findings, radius in (((beside,), 0.0), ((certain,), 0.2), ((likely, beside, certain), 0.2)):
        assert told(replace(SQUARE, findings=findings))[0].proven == radius


def test_both_ends_of_one_finding_are_told():
    exact = finding(0, Kind.LOWER_BOUND, 0.3, details={"exact": True, "upper": 0.3001, "read_as": 2})
    known = told(replace(SQUARE, findings=(exact,)))
    assert (known[0].proven, known[0].reached) == (0.3, 0.3001) and known[0].point is not None


def test_of_equal_points_the_first_named_one_stays():
    known = told(SQUARE, replace(PGD, findings=(found(1, 0.2),)))
    np.testing.assert_array_equal(known[1].point, row("job_square", 1))


def test_a_job_that_found_nothing_leaves_no_hint_and_the_others_do():
    failed = evidence("noise", state=JobState.FAILED)
    assert told(failed) == {}
    assert told(failed, SQUARE).keys() == {0, 1}


def test_a_point_that_is_gone_leaves_its_distance():
    known = told(SQUARE, PGD, points=lambda job_id, wanted: points(job_id, wanted) if job_id == "job_pgd" else {})
    assert known[1].point is None and known[1].reached == 0.2
    assert known[0].point is not None


@pytest.mark.parametrize("most", [0, 1, 2])
def test_the_first_samples_get_their_points_and_all_get_their_distances(most):
    known = told(SQUARE, PGD, most=most)
    assert [known[index].point is not None for index in (0, 1)] == [most > 0, most > 1]
    assert all(np.isfinite(known[index].reached) for index in (0, 1))
