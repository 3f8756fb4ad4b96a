"""Drops from a baseline, pair by pair."""

import numpy as np
import pytest

from audits.policy.drops import Baseline, decide
from audits.policy.metrics import METRICS
from tests.unit.audits.tables import rule, table


def drop(lost: int, won: int, n: int, most: float, confidence: float | None = 0.95):
    before = table(correct=np.arange(n) >= won)
    after = table(correct=np.arange(n) < n - lost)
    asked = rule("clean_accuracy", max_drop_from_baseline=most, confidence=confidence)
    return decide(asked, METRICS["clean_accuracy"], None, after, Baseline(before), epsilon=None)


@pytest.mark.parametrize("most", [0.01, 0.1])
def test_the_samples_needed_would_decide_a_drop(most):
    """Of 100 samples six were lost and one was won: it fell by a twentieth."""
    found = drop(6, 1, 100, most)
    assert found.verdict == "inconclusive" and found.needed_samples
    n = found.needed_samples
    more, fewer = (np.ceil, np.floor) if most > 0.05 else (np.floor, np.ceil)
    assert drop(int(more(0.06 * n)), int(fewer(0.01 * n)), n, most).verdict in ("pass", "fail")


@pytest.mark.parametrize(
    ("lost", "won", "told"),
    [
        (6, 1, "It fell by 5 points (a fall of "),
        (1, 6, "It rose by 5 points (a fall of -"),
        (2, 2, "It stayed the same"),
    ],
)
def test_a_drop_is_told_in_points_and_a_rise_as_a_rise(lost, won, told):
    assert told in drop(lost, won, 100, 0.5).detail


def test_a_drop_decided_by_what_was_observed_alone_says_so():
    for most, remarks in ((0.06, True), (0.5, False)):
        found = drop(6, 1, 100, most, confidence=None)
        assert found.verdict == "pass"
        assert ("observed alone decided" in found.detail) == remarks


def test_a_drop_that_is_the_bound_is_decided_by_no_number_of_samples():
    found = drop(6, 1, 100, 0.05)
    assert found.verdict == "inconclusive" and found.needed_samples is None
    assert "no number of samples" in found.detail
