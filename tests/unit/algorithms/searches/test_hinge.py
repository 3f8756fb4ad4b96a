"""What is short of being adversarial, and its derivative, against finite differences."""

import numpy as np
import pytest

from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case, Cohort
from algorithms.searches.penalties.hinge import Hinge, in_box_units

LABELS, TARGETS = np.array([0, 1]), np.array([2, 3])


def hinge(targets=None, *, confidence=0.5, aims=None) -> Hinge:
    aimed = [None, None] if targets is None else targets
    cases = [Case(np.zeros(1, np.float32), y, t, None, 4, Stream(0, 0, "")) for y, t in zip(LABELS, aimed, strict=True)]
    cohort = Cohort(tuple(cases), live=np.ones(2, np.bool_))
    scales = np.random.default_rng(0).uniform(0.5, 2, (2, 4))
    return Hinge(cohort, confidence, scales, np.ones(2), aims)


OWNERS = np.array([0, 1, 1, 0, 1])
SCORES = np.random.default_rng(1).normal(size=(5, 4))
SCORES[0, 0] = SCORES[1, 1] = 3.0


@pytest.mark.parametrize("which", [hinge(), hinge(TARGETS), hinge(aims=TARGETS)], ids=["any", "targeted", "one rival"])
def test_the_derivative_is_that_of_the_value(which):
    slopes, small = which.derivative(SCORES, OWNERS), 1e-6
    for j in range(4):
        moved = SCORES.copy()
        moved[:, j] += small
        rise = (which.values(moved, OWNERS) - which.values(SCORES, OWNERS)) / small
        np.testing.assert_allclose(rise, slopes[:, j], atol=1e-6)
    assert slopes.any()


def test_in_the_boxs_units_it_is_the_papers():
    (published,) = in_box_units(hinge().cohort, 0.5)
    others = np.array([np.delete(row, LABELS[i]).max() for row, i in zip(SCORES, OWNERS, strict=True)])
    expected = np.maximum(0, SCORES[np.arange(5), LABELS[OWNERS]] - others + 0.5)
    np.testing.assert_allclose(published.values(SCORES, OWNERS), expected)


@pytest.mark.parametrize("targets", [None, TARGETS])
def test_scores_that_are_no_numbers_lead_nowhere_and_minus_infinity_is_only_very_low(targets):
    scores = np.array([[np.nan, 0, 0, 0], [np.inf] * 4, [0, 2, -np.inf, 1]])
    found, slopes = hinge(targets).values(scores, OWNERS[:3]), hinge(targets).derivative(scores, OWNERS[:3])
    assert np.isfinite(found).all() and np.isfinite(slopes).all()
    assert found[2] > 0 and slopes[2, 1] > 0 and slopes[2, 3] < 0
