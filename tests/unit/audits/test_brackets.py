"""What joins a bracket and what never does, against brute force."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from algorithms.seam.claims import Kind
from audits.evidence.brackets import BracketClaim, join
from audits.evidence.evidence import BracketQuestion
from tests.jobs_for_tests import finding

ABOUT = BracketQuestion("sha", "", "z as logit", "l2", False, 0.0, 1.0, "None", None, None, 1, 1, None)
OTHER = {
    "model": "another",
    "preprocessing": '{"subtract":0.5}',
    "read_as": "z as decision",
    "norm": "linf",
    "lower": -1.0,
    "upper": (1.0, 2.0),
    "goal": "runner_up",
    "target": 3,
    "seed": 7,
    "label": 2,
    "repeats": 3,
    "pixelwise": True,
    "levels": 256,
}


def claim(kind, value, method="m", about=ABOUT, **more):
    return BracketClaim(method, about, finding(0, kind, value, **more))


def test_the_largest_lower_and_the_smallest_upper_bound_make_the_bracket():
    claims = [
        claim(Kind.LOWER_BOUND, 0.1, "intervals"),
        claim(Kind.LOWER_BOUND, 0.3, "crown", confidence=0.99),
        claim(Kind.UPPER_BOUND, 0.9, "pgd"),
        claim(Kind.UPPER_BOUND, 0.7, "square"),
    ]
    bracket = join(claims, ABOUT)
    assert (bracket.lower.value, bracket.lower.by, bracket.lower.confidence) == (0.3, "crown", 0.99)
    assert (bracket.upper.value, bracket.upper.by) == (0.7, "square")


@pytest.mark.parametrize("field", OTHER)
def test_a_bound_on_another_radius_never_joins(field):
    elsewhere = replace(ABOUT, **{field: OTHER[field]})
    bracket = join(
        [claim(Kind.LOWER_BOUND, 9.0, about=elsewhere), claim(Kind.UPPER_BOUND, 0.1, about=elsewhere)], ABOUT
    )
    assert bracket.lower is None and bracket.upper is None


def test_a_finding_may_bring_both_ends():
    exact = claim(Kind.LOWER_BOUND, 0.3, "exact", details={"exact": True, "upper": 0.3001, "read_as": 2})
    bracket = join([exact, claim(Kind.UPPER_BOUND, 0.5, "pgd"), claim(Kind.LOWER_BOUND, 0.1, "crown")], ABOUT)
    assert (bracket.lower.value, bracket.lower.by) == (0.3, "exact")
    assert (bracket.upper.value, bracket.upper.by) == (0.3001, "exact")


@pytest.mark.parametrize("kind", [Kind.UPPER_BOUND, Kind.ESTIMATE, Kind.SMOOTHED_LOWER_BOUND, Kind.ABSTAINED])
def test_a_radius_beside_another_value_is_a_lower_end_with_its_own_confidence(kind):
    value = None if kind is Kind.ABSTAINED else 0.5
    bracket = join([claim(kind, value, details={"lower": 0.2, "lower_confidence": 0.99})], ABOUT)
    assert (bracket.lower.value, bracket.lower.confidence) == (0.2, 0.99)
    assert (bracket.upper is None) == (kind is not Kind.UPPER_BOUND)


def test_numbers_that_a_method_says_of_itself_are_no_ends():
    """`nearest_neighbor` tells how far its search came; no point of it was asked afresh."""
    said = {"lower": 0.3, "upper": 0.4, "exact": False}
    assert join([claim(Kind.LOWER_BOUND, 0.3, details=said)], ABOUT).upper is None
    assert join([claim(Kind.ABSTAINED, None, details=said)], ABOUT).lower is None


@pytest.mark.parametrize("kind", [Kind.SMOOTHED_LOWER_BOUND, Kind.ESTIMATE, Kind.ABSTAINED])
def test_smoothed_bounds_estimates_and_silence_never_join(kind):
    bracket = join([claim(kind, None if kind is Kind.ABSTAINED else 0.5)], ABOUT)
    assert bracket.lower is None and bracket.upper is None


def test_a_sample_that_is_wrong_already_has_radius_zero():
    bracket = join([claim(Kind.MISCLASSIFIED, 0.0), claim(Kind.UPPER_BOUND, 0.5)], ABOUT)
    assert (bracket.lower.value, bracket.upper.value, bracket.upper.by) == (0.0, 0.0, "misclassified")


@given(st.lists(st.tuples(st.sampled_from(Kind), st.floats(0, 10)), max_size=12))
def test_the_ends_are_those_of_brute_force(found):
    claims = [claim(kind, None if kind is Kind.ABSTAINED else value, str(i)) for i, (kind, value) in enumerate(found)]
    bracket = join(claims, ABOUT)
    if any(kind is Kind.MISCLASSIFIED for kind, _ in found):
        assert bracket.lower.value == bracket.upper.value == 0
        return
    lowers = [value for kind, value in found if kind is Kind.LOWER_BOUND]
    uppers = [value for kind, value in found if kind is Kind.UPPER_BOUND]
    assert (bracket.lower and bracket.lower.value) == max(lowers, default=None)
    assert (bracket.upper and bracket.upper.value) == min(uppers, default=None)
