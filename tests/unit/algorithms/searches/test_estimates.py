"""Gradient estimates, on losses whose gradient is known."""

import numpy as np
import pytest

from algorithms.searches.scores.estimates import antithetic, one_sided

SHAPE, D = (2, 3, 4), 24
RNG = np.random.default_rng(1)
W = RNG.normal(size=SHAPE)
X = RNG.uniform(size=SHAPE)


def linear(rows):
    return (np.asarray(rows, np.float64) * W).reshape(len(rows), -1).sum(axis=1) - 3.0


def at(u, sigma):
    return X + sigma * u.astype(np.float64)


def estimate(kind, u, sigma=0.01, loss=linear):
    if kind == "antithetic":
        return antithetic(u, loss(at(u, sigma)), loss(at(u, -sigma)), sigma)
    return one_sided(u, loss(at(u, sigma)), loss(X[None])[0], sigma)


KINDS = pytest.mark.parametrize("kind", ["antithetic", "one_sided"])


@KINDS
def test_on_a_linear_loss_gaussian_directions_give_its_gradient_without_bias(kind):
    """A coordinate's mean over n directions has variance (|w|^2 + w_i^2) / n: five of its deviations are never left
    by more than chance, 6e-7 a coordinate.
    """
    n = 40_000
    u = RNG.standard_normal((n, *SHAPE), np.float32)
    told = estimate(kind, u)
    deviation = np.sqrt((np.sum(W**2) + W**2) / n)
    assert (np.abs(told - W) < 5 * deviation).all()


@KINDS
def test_on_a_linear_loss_orthogonal_directions_give_its_gradient_exactly(kind):
    q, _ = np.linalg.qr(RNG.normal(size=(D, D)))
    u = (np.sqrt(D) * q).astype(np.float32).reshape(D, *SHAPE)
    assert estimate(kind, u) == pytest.approx(W, abs=1e-5)


@KINDS
def test_an_estimate_lies_in_the_span_of_its_directions(kind):
    u = RNG.standard_normal((3, *SHAPE), np.float32)
    told = estimate(kind, u).ravel()
    coefficients, *_ = np.linalg.lstsq(u.reshape(3, -1).T.astype(np.float64), told, rcond=None)
    assert u.reshape(3, -1).T @ coefficients == pytest.approx(told, abs=1e-5)


def test_antithetic_pairs_take_no_curvature_for_slope_and_one_sided_differences_do():
    def bowl(rows):
        return ((np.asarray(rows, np.float64) - X) ** 2).reshape(len(rows), -1).sum(axis=1)

    u = RNG.standard_normal((8, *SHAPE), np.float32)
    assert estimate("antithetic", u, 0.5, bowl) == pytest.approx(np.zeros(SHAPE), abs=1e-9)
    assert np.abs(estimate("one_sided", u, 0.5, bowl)).max() > 0.1


@KINDS
def test_a_row_without_a_loss_tells_nothing(kind):
    u = RNG.standard_normal((4, *SHAPE), np.float32)

    def holed(rows):
        told = linear(rows)
        if len(told) > 1:
            told[2] = np.nan
        return told

    assert estimate(kind, u, loss=holed) == pytest.approx(estimate(kind, np.delete(u, 2, axis=0)) * 3 / 4, abs=1e-5)


def test_estimates_of_several_samples_are_those_of_each():
    u = RNG.standard_normal((3, 5, *SHAPE), np.float32)
    ahead, behind, sigma = RNG.normal(size=(3, 5)), RNG.normal(size=(3, 5)), np.array([0.1, 0.2, 0.3])
    together = antithetic(u, ahead, behind, sigma), one_sided(u, ahead, behind[:, 0], sigma)
    for i in range(3):
        assert np.array_equal(together[0][i], antithetic(u[i], ahead[i], behind[i], sigma[i]))
        assert np.array_equal(together[1][i], one_sided(u[i], ahead[i], behind[i, 0], sigma[i]))
