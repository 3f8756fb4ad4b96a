"""Scores from batch maxima that are written down here, without any model."""

import numpy as np
import pytest

from algorithms.scores.clever.extreme_value import fit
from algorithms.scores.clever.lipschitz import fit_p_value, score, score_interval
from algorithms.searches.rivals import reach


def maxima(rivals, seed=0, batches=40):
    rng = np.random.default_rng(seed)
    tops = rng.uniform(1, 5, rivals)
    return tops * (1 - 0.3 * rng.exponential(size=(batches, rivals)) ** 0.3)


def test_leaving_out_rivals_that_cannot_win_changes_nothing():
    for seed in range(12):
        y = maxima(12, seed, batches=(10, 40)[seed % 2])
        margins = np.random.default_rng(seed).uniform(0.5, 20, 12)
        every = np.array([g / fit(column).end_point for g, column in zip(margins, y.T, strict=True)])
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
    assert score_interval(2.0, y[:, 0], 1e9, level=0.95) == (0.5, 0.5)
    assert fit_p_value(y[:, 0]) is None


def test_gumbel_maxima_have_no_end_point_and_the_status_says_so():
    y = 10 + np.random.default_rng(0).gumbel(size=(500, 1))
    assert score(np.array([1.0]), y, cap=1e9).status == "no_finite_endpoint"


def test_the_interval_holds_the_score_and_is_capped_like_it():
    y = maxima(1)
    found = score(np.array([3.0]), y, cap=1e9)
    low, high = score_interval(3.0, y[:, 0], 1e9, level=0.95)
    assert low < found.value < high
    assert score_interval(3.0, y[:, 0], found.value, level=0.95) == (low, found.value)


def test_a_margin_of_zero_scores_zero():
    assert score(np.array([0.0, 1.0]), maxima(2), cap=1.0).value == 0.0
    assert reach(0.0, 0.0) == np.inf
    assert reach(np.array([1.0, 0.0]), np.array([2.0, 2.0])) == pytest.approx([0.5, 0.0])
