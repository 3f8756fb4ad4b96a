"""Derivatives of the losses, against finite differences of their formulas."""

import numpy as np
import pytest

from algorithms.mathematics.losses import adversarial_margin, best_other, derivative, value

LABELS, TARGETS = np.array([2, 0, 3]), np.array([1, 3, 0])
SCORES = np.random.default_rng(0).normal(size=(3, 5)) * 3


def margin(z, y, t):
    return max(np.delete(z, y)) - z[y] if t is None else z[t] - max(np.delete(z, t))


def cross_entropy(z, y, t):
    log_p = z - np.log(np.exp(z).sum())
    return -log_p[y] if t is None else log_p[t]


def dlr(z, y, t):
    s = np.sort(z)[::-1]
    if t is None:
        return -(z[y] - max(np.delete(z, y))) / (s[0] - s[2] + 1e-12)
    return -(z[y] - z[t]) / (s[0] - (s[2] + s[3]) / 2 + 1e-12)


@pytest.mark.parametrize("targets", [None, TARGETS], ids=["untargeted", "targeted"])
@pytest.mark.parametrize("name", ["margin", "cross_entropy", "dlr"])
def test_a_derivative_is_that_of_the_formula(name, targets):
    formula = {"margin": margin, "cross_entropy": cross_entropy, "dlr": dlr}[name]
    numeric = np.zeros_like(SCORES)
    for i, j in np.ndindex(SCORES.shape):
        up, down = SCORES[i].copy(), SCORES[i].copy()
        up[j] += 1e-6
        down[j] -= 1e-6
        t = None if targets is None else targets[i]
        numeric[i, j] = (formula(up, LABELS[i], t) - formula(down, LABELS[i], t)) / 2e-6
    assert derivative(name, SCORES, LABELS, targets) == pytest.approx(numeric, abs=1e-5)
    told = [formula(z, LABELS[i], None if targets is None else targets[i]) for i, z in enumerate(SCORES)]
    assert value(name, SCORES, LABELS, targets) == pytest.approx(told, rel=1e-9)


@pytest.mark.parametrize("targets", [None, TARGETS[:2]], ids=["untargeted", "targeted"])
@pytest.mark.parametrize("name", ["margin", "cross_entropy", "dlr"])
def test_a_row_without_a_class_has_no_loss_and_leads_nowhere_by_numbers_that_are_none(name, targets):
    scores = np.array([[0.0, 1.0, np.inf, 2.0, 3.0], [np.nan, 0.0, 1.0, 2.0, 3.0]])
    assert np.isnan(value(name, scores, LABELS[:2], targets)).all()
    assert np.isfinite(derivative(name, scores, LABELS[:2], targets)).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_dlr_with_too_few_classes_is_the_margin(classes):
    scores, labels, targets = SCORES[:, :classes], np.array([1, 0, 1]), np.array([0, 1, 0])
    assert np.array_equal(derivative("dlr", scores, labels, targets), derivative("margin", scores, labels, targets))
    if classes == 2:
        assert np.array_equal(derivative("dlr", scores, labels, None), derivative("margin", scores, labels, None))


def test_the_adversarial_margin_is_positive_only_past_the_boundary():
    scores = np.array([[1.0, 2.0, 0.0], [1.0, 1.0, 0.0]])
    assert adversarial_margin(scores, np.array([0, 0]), None).tolist() == [1.0, 0.0]
    assert adversarial_margin(scores, np.array([0, 0]), np.array([1, 2])).tolist() == [1.0, -1.0]


def test_the_best_other_class_is_never_the_named_one_even_with_huge_scores():
    scores = np.array([[1e30, -1e30, -2e30]], dtype=np.float32)
    assert best_other(scores, np.array([0])).tolist() == [1]


@pytest.mark.parametrize("targets", [None, np.array([1, 1, 1, 1])], ids=["untargeted", "targeted"])
def test_a_row_without_a_largest_finite_score_has_no_margin(targets):
    nothing = np.array([[0, np.nan, 1], [0, np.inf, 1], [np.inf] * 3, [-np.inf] * 3])
    assert np.isnan(adversarial_margin(nothing, np.zeros(4, np.int64), targets)).all()
