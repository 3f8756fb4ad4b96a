"""Margins of scores: one number whether a model gives logits or their probabilities, and never a false success."""

import numpy as np
import pytest

from algorithms.mathematics.losses import adversarial_margin
from algorithms.searches.scores.margins import hinges, logits, losses, margins

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(40, 5)) * 8
LABELS, TARGETS = RNG.integers(5, size=40), RNG.integers(5, size=40)
AIMS = pytest.mark.parametrize("targets", [None, TARGETS], ids=["untargeted", "targeted"])


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


@AIMS
def test_margins_of_logits_are_those_that_gradient_attacks_climb(targets):
    assert margins(Z, LABELS, targets, False) == pytest.approx(adversarial_margin(Z, LABELS, targets), rel=1e-12)


@AIMS
def test_margins_of_probabilities_are_those_of_the_logits_behind_them(targets):
    told = margins(softmax(Z), LABELS, targets, True)
    assert told == pytest.approx(margins(Z, LABELS, targets, False), abs=1e-9)


@AIMS
@pytest.mark.parametrize("are_probabilities", [True, False])
def test_cross_entropy_is_minus_the_logarithm_of_the_soft_max(targets, are_probabilities):
    log_p = np.log(softmax(Z))
    told = losses("cross_entropy", softmax(Z) if are_probabilities else Z, LABELS, targets, are_probabilities)
    rows = np.arange(len(Z))
    assert told == pytest.approx(-log_p[rows, LABELS] if targets is None else log_p[rows, targets], abs=1e-9)


def test_a_small_difference_of_two_rows_survives_in_double_precision():
    """Two float32 rows one unit in the last place apart differ in their margins by just that unit."""
    a = np.array([[100.0, 3.0]], np.float32)
    b = np.nextafter(a, np.float32(200))
    step = margins(a, np.array([0]), None, False) - margins(b, np.array([0]), None, False)
    assert step[0] == pytest.approx(
        float(np.float64(b[0, 0]) - a[0, 0]) - float(np.float64(b[0, 1]) - a[0, 1]), rel=1e-9
    )


def test_a_margin_above_zero_is_a_lead_of_the_scores_as_they_are():
    """Also between neighbors among the floating-point numbers, where logarithms round."""
    for scale in np.geomspace(1e-9, 0.5, 200):
        p = np.float32(scale)
        more = np.nextafter(p, np.float32(1))
        scores, label = np.array([[p, more], [more, p], [p, p]], np.float32), np.zeros(3, np.int64)
        assert (margins(scores, label, None, True) > 0).tolist() == [True, False, False]


def test_a_margin_is_finite_where_probabilities_are_saturated():
    saturated = np.array([[1.0, 0.0, 0.0]], np.float32)
    assert margins(saturated, np.array([0]), None, True) == pytest.approx([np.log(1e-30)])
    assert margins(saturated, np.array([1]), None, True) == pytest.approx([-np.log(1e-30)])


@AIMS
@pytest.mark.parametrize("name", ["margin", "cross_entropy"])
@pytest.mark.parametrize("are_probabilities", [True, False])
@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=["nan", "inf"])
def test_a_row_that_names_no_class_has_no_margin_and_its_neighbors_keep_theirs(targets, name, are_probabilities, bad):
    scores = softmax(Z).astype(np.float32)
    told = losses(name, scores, LABELS, targets, are_probabilities)
    scores[3, 1] = bad
    with_bad = losses(name, scores, LABELS, targets, are_probabilities)
    assert np.isnan(with_bad[3])
    assert np.array_equal(np.delete(with_bad, 3), np.delete(told, 3))


def test_a_probability_below_zero_is_taken_for_zero():
    scores = np.array([[1.0, -0.25, 0.25]], np.float32)
    assert np.isfinite(logits(scores, True)).all()
    assert margins(scores, np.array([0]), np.array([1]), True) == pytest.approx([np.log(1e-30)])


def test_a_hinge_asks_for_a_lead_of_kappa():
    assert hinges(np.array([-2.0, 0.5, 3.0]), 1.0).tolist() == [3.0, 0.5, 0.0]
