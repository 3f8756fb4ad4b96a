"""A curve of an attack counts all that a sample was charged: its own queries, and its share of a warm-up."""

import pytest

from algorithms.seam.claims import Kind
from audits.evidence.efforts import effort
from tests.jobs_for_tests import finding

TRACE = [[10, 2.0], [90, 1.0]]


def broken(**details: object):
    return finding(0, Kind.UPPER_BOUND, 1.0, queries=100, gradients=0, details={"trace": TRACE} | details)


def medians(*found) -> dict[int, float | None]:
    curve = effort("decision", found)
    assert curve is not None
    return {point.queries: point.median_distance for point in curve.points}


def test_what_a_warm_up_asked_comes_before_a_samples_own_queries() -> None:
    told = medians(broken(warm_up_queries=50))
    assert max(told) == 150
    assert {told[n] for n in told if n < 60} == {None} and {told[n] for n in told if 60 <= n < 140} == {2.0}
    assert told[150] == 1.0


@pytest.mark.parametrize("said", [-5, 10**30, "many", None, [3]])
def test_what_cannot_be_a_share_is_none(said: object) -> None:
    assert medians(broken(warm_up_queries=said)) == medians(broken())
