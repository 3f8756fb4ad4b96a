"""Sigma-zero against the exact count on linear models, and its smooth count against finite differences."""

import numpy as np
import pytest

from algorithms.driver.running import run
from algorithms.mathematics.counting import small, smooth_slopes
from algorithms.mathematics.norms import Counting
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind, Outcome
from algorithms.threats.threat import Threat
from tests.counted import PIXELS, exact, linear, samples
from tests.truths import ClosedForm, Staircase

SIGMA_ZERO = method("sigma_zero")
pixelwise = pytest.mark.parametrize("pixels", [None, PIXELS], ids=["features", "pixels"])


def found(model: ClosedForm, pixels=None, epsilon=None, **params: object) -> list[Outcome]:
    threat = Threat[Counting](Counting.L0, epsilon=epsilon, pixels=pixels)
    return run(model, samples(), SIGMA_ZERO, SIGMA_ZERO.params(**params), threat, Budget(None), seed=0)


@pixelwise
def test_on_a_linear_model_it_finds_the_exact_count(pixels):
    counts = [outcome.finding.value for outcome in found(linear(), pixels, steps=20)]
    assert counts == exact(linear(), pixels) and max(counts) > 2


@pixelwise
def test_as_in_the_paper_it_comes_near_the_exact_count_and_never_below(pixels):
    counts = np.array([outcome.finding.value for outcome in found(linear(), pixels, pace="paper")])
    true = np.array(exact(linear(), pixels))
    assert (counts >= true).all() and counts.mean() <= 1.2 * true.mean()


@pixelwise
def test_thinning_takes_changes_back_that_others_make_up_for(pixels):
    plain = np.array([o.finding.value for o in found(linear(), pixels, pace="paper", steps=15, rate=0.3)])
    thinned = found(linear(), pixels, pace="paper", steps=15, rate=0.3, thinning=60)
    counts = np.array([outcome.finding.value for outcome in thinned])
    assert (counts <= plain).all() and counts.sum() < plain.sum()
    assert (counts >= np.array(exact(linear(), pixels))).all()
    assert all(outcome.finding.gradients <= 15 + 60 for outcome in thinned)


def test_where_gradients_vanish_it_finds_nothing_and_says_why():
    for outcome in found(Staircase(linear(), 1 / 64), steps=20):
        assert outcome.finding.kind is Kind.ABSTAINED
        assert outcome.finding.details["warnings"] == ["zero_gradients"]


def test_with_an_epsilon_it_ends_with_the_first_point_of_so_few_changes():
    model, most = linear(), float(max(exact(linear(), None)))
    for outcome in found(model, epsilon=most, steps=50):
        assert outcome.finding.value <= most and outcome.finding.gradients < 50
    assert {o.finding.kind for o in found(model, epsilon=1.0, steps=10)} == {Kind.ABSTAINED}


@pixelwise
def test_the_smooth_count_is_differentiated_rightly(pixels):
    rng = np.random.default_rng(0)
    changes, sigma, h = rng.normal(size=(2, 75)) * 0.1, 0.01, 1e-6

    def count(d):
        s = d**2 if pixels is None else np.stack([np.bincount(pixels.ravel(), row) for row in d**2])
        return (s / (s + sigma)).mean(axis=1)

    slopes = smooth_slopes(changes, sigma, pixels)
    for i in (0, 31, 74):
        step = np.zeros(75)
        step[i] = h
        np.testing.assert_allclose(slopes[:, i], (count(changes + step) - count(changes - step)) / (2 * h), rtol=1e-5)


def test_a_pixel_is_small_where_all_its_changes_are():
    changes = np.zeros((1, 75))
    changes[0, 3], changes[0, 29] = 0.5, 0.2  # the first and second channel of pixels 3 and 4
    marked = small(changes, np.array([0.3]), PIXELS).reshape(3, 25)
    assert not marked[:, 3].any() and marked[:, 4].all()
    assert small(changes, np.array([0.3]), None)[0, 28]
