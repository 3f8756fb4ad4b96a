"""Scores from batch maxima that are written down here, without any model."""

import numpy as np
import pytest

from algorithms.mathematics.extreme_value import TOLD_SHAPES
from algorithms.scores.clever.lipschitz import fit_p_value, score, score_interval
from algorithms.searches.boundaries.rivals import reach


def maxima(rivals, seed=0, batches=40):
    rng = np.random.default_rng(seed)
    tops = rng.uniform(1, 5, rivals)
    return tops * (1 - 0.3 * rng.exponential(size=(batches, rivals)) ** 0.3)


def test_leaving_out_rivals_that_cannot_win_changes_nothing():
    for seed in range(12):
        y = maxima(12, seed, batches=(10, 40)[seed % 2])
        margins = np.random.default_rng(seed).uniform(0.5, 20, 12)
        every = np.array([g / TOLD_SHAPES.fit(column).end_point for g, column in zip(margins, y.T, strict=True)])
        found = score(margins, y, cap=1e9)
        assert (found.rival, found.value) == (every.argmin(), every.min())


def test_the_fit_never_scores_above_the_plain_maximum():
    for seed in range(5):
        y, margins = maxima(4, seed), np.array([1.0, 2.0, 3.0, 4.0])
        assert score(margins, y, cap=1e9).value <= reach(margins, y.max(axis=0)).min()


def test_a_score_is_capped_by_the_ball_and_says_so():
    found = score(np.array([3.0]), maxima(1), cap=0.1)
    assert (found.value, found.status) == (0.1, "censored_at_radius")


def test_a_rival_without_gradient_is_out_of_reach_and_never_the_nearest():
    y = maxima(2)
    y[:, 0] = 0
    found = score(np.array([1e-3, 3.0]), y, cap=1e9)
    assert found.rival == 1
    assert score(np.array([3.0]), y[:, 1:], cap=1e9).value == found.value


def test_equal_maxima_need_no_fit():
    y = np.full((30, 1), 4.0)
    found = score(np.array([2.0]), y, cap=1e9)
    assert (found.value, found.status, found.shape) == (0.5, "degenerate", None)
    assert score_interval(2.0, y[:, 0], 1e9) == [0.5, 0.5]
    assert fit_p_value(y[:, 0]) is None


@pytest.mark.parametrize("seed", range(3))
def test_an_end_point_that_may_lie_far_beyond_the_maxima_is_none_and_the_status_says_so(seed):
    rng = np.random.default_rng(seed)
    gumbel, weibull = 10 + rng.gumbel(size=(2000, 1)), 10 - 2 * rng.exponential(size=(2000, 1)) ** (1 / 3)
    assert score(np.array([1.0]), gumbel, cap=1e9).status == "no_finite_endpoint"
    assert score(np.array([1.0]), weibull, cap=1e9).status == "ok"


@pytest.mark.parametrize("shape", [2, 4, 8, 30])
def test_the_status_is_no_coins_side(shape):
    """Where shapes decided, it fell on either side for any law of about 10."""
    told = set()
    for seed in range(20):
        y = 10 + shape / 2 * (1 - np.random.default_rng(seed).exponential(size=(50, 1)) ** (1 / shape))
        told.add(score(np.array([1.0]), y, cap=1e9).status)
    assert told == {"ok"}


def test_the_interval_holds_the_score_and_is_capped_like_it():
    y = maxima(1)
    found = score(np.array([3.0]), y, cap=1e9)
    low, high = score_interval(3.0, y[:, 0], 1e9)
    assert low < found.value < high
    assert score_interval(3.0, y[:, 0], found.value) == [low, found.value]


def test_a_margin_of_zero_scores_zero():
    assert score(np.array([0.0, 1.0]), maxima(2), cap=1.0).value == 0.0
    assert reach(0.0, 0.0) == np.inf
    assert reach(np.array([1.0, 0.0]), np.array([2.0, 2.0])) == pytest.approx([0.5, 0.0])
