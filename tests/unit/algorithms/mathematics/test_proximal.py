"""Proximal operators against a general solver, and against what is known of them without a box."""

import numpy as np
import pytest
from scipy.optimize import minimize

from algorithms.mathematics.norms import NORMS, Norm
from algorithms.mathematics.proximal import shrink

INFINITE = np.full((1, 5), np.inf, np.float32)


def cost(z, v, x, t, norm):
    return t * np.linalg.norm(z - x, norm.p) + ((z - v) ** 2).sum() / 2


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(6))
def test_within_a_box_nothing_costs_less(norm, seed):
    """By a solver that starts from the answer and from elsewhere, and by random valid points around it."""
    rng = np.random.default_rng(seed)
    x, v = rng.uniform(0, 1, (1, 5)).astype(np.float32), rng.normal(0.5, 1.5, (1, 5)).astype(np.float32)
    x[0, 0] = seed % 2  # at an end of its side
    lower, upper, t = np.zeros((1, 5), np.float32), np.ones((1, 5), np.float32), np.array([rng.uniform(0.05, 1.5)])
    (z,) = shrink(v, x, t, norm, lower, upper)
    assert (z >= 0).all() and (z <= 1).all()
    best = cost(z.astype(float), v[0], x[0], t[0], norm)
    for start in (z, x[0], np.clip(v[0], 0, 1)):
        found = minimize(cost, start, (v[0], x[0], t[0], norm), method="L-BFGS-B", bounds=[(0, 1)] * 5)
        assert best <= found.fun + 1e-6
    for scale in (1e-1, 1e-2, 1e-3):
        for other in np.clip(z + scale * rng.normal(size=(200, 5)), 0, 1):
            assert best <= cost(other, v[0], x[0], t[0], norm) + 1e-6


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_taken_off_lies_in_the_dual_ball_and_small_rows_vanish(norm):
    """Moreau: without a box v - prox(v) is the projection on the ball of radius t in the dual norm."""
    rng = np.random.default_rng(0)
    x, v = np.zeros((8, 5), np.float32), rng.normal(size=(8, 5)).astype(np.float32)
    t = np.linspace(0.1, 3.0, 8)
    z = shrink(v, x, t, norm, -INFINITE, INFINITE)
    taken = np.linalg.norm(v - z, norm.dual.p, axis=1)
    assert (taken <= t * (1 + 1e-5)).all()
    small = np.linalg.norm(v, norm.dual.p, axis=1) <= t
    assert small.any() and not small.all()
    assert not z[small].any() and z[~small].any(axis=1).all()
    np.testing.assert_allclose(taken[~small], t[~small], rtol=1e-5)


def test_in_l1_what_is_not_worth_its_length_does_not_move_at_all():
    x = np.float32([[0.1, 0.2, 0.3]])
    z = shrink(np.float32([[0.15, 0.9, -0.4]]), x, np.array([0.1]), Norm.L1, np.float32([[0.0]]), np.float32([[1.0]]))
    assert z[0, 0] == x[0, 0]
    np.testing.assert_allclose(z, [[0.1, 0.8, 0.0]], rtol=1e-6)
