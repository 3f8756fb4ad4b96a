"""Projections onto ball and box, against a general-purpose solver and against themselves in torch."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.mathematics.projections import project

norms = pytest.mark.parametrize("norm", NORMS)


def problem(seed: int, m: int = 40, d: int = 6):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, (m, d)).astype(np.float32)
    rows = (x + rng.normal(size=(m, d)) * rng.choice([0.05, 0.5, 5], (m, 1))).astype(np.float32)
    return rows, x, rng.uniform(0, 2, m), np.zeros((1, d), np.float32), np.ones((1, d), np.float32)


@norms
def test_the_projection_lies_in_ball_and_box_after_rounding(norm):
    rows, x, radius, lower, upper = problem(0, m=500, d=50)
    z = project(rows, x, radius, norm, lower, upper)
    assert z.dtype == np.float32
    assert (z >= lower).all() and (z <= upper).all()
    assert (lengths(z.astype(np.float64) - x, norm) <= radius).all()


@norms
def test_no_feasible_point_is_nearer_than_the_projection(norm):
    rows, x, radius, lower, upper = problem(1)
    z = project(rows, x, radius, norm, lower, upper)
    for i in range(len(rows)):
        nearest = solve(rows[i].astype(float), x[i].astype(float), radius[i], norm)
        assert np.sum((z[i] - rows[i]) ** 2, dtype=float) <= np.sum((nearest - rows[i]) ** 2) * (1 + 1e-4) + 1e-5


def solve(row, x, radius, norm):
    """The same problem handed to SLSQP in split offsets x + a - b, a, b >= 0, which makes every norm smooth."""
    d = len(row)
    room = np.concatenate([1 - x, x])
    length = {
        Norm.L1: lambda v: radius - v.sum(),
        Norm.L2: lambda v: radius**2 - ((v[:d] - v[d:]) ** 2).sum(),
        Norm.LINF: lambda v: (radius - (v[:d] + v[d:])).min(),
    }[norm]
    if norm is Norm.LINF:
        return np.clip(row, np.maximum(x - radius, 0), np.minimum(x + radius, 1))
    found = minimize(
        lambda v: ((x + v[:d] - v[d:] - row) ** 2).sum(),
        np.zeros(2 * d),
        jac=lambda v: 2 * np.concatenate([x + v[:d] - v[d:] - row, row - x - v[:d] + v[d:]]),
        bounds=[(0, r) for r in room],
        constraints=[{"type": "ineq", "fun": length}],
        options={"maxiter": 500, "ftol": 1e-12},
    )
    return x + found.x[:d] - found.x[d:]


@norms
def test_a_point_already_inside_stays(norm):
    _rows, x, _, lower, upper = problem(2)
    inside = np.clip(x + 0.01, lower, upper).astype(np.float32)
    assert np.allclose(project(inside, x, np.full(len(x), 10.0), norm, lower, upper), inside, atol=1e-7)


@norms
def test_a_radius_of_zero_leaves_the_sample(norm):
    rows, x, radius, lower, upper = problem(3)
    assert np.array_equal(project(rows, x, 0 * radius, norm, lower, upper), x)


@norms
def test_without_a_box_the_ball_alone_binds(norm):
    rows, x, radius, lower, upper = problem(4)
    z = project(rows, x, radius, norm, lower - np.float32(np.inf), upper + np.float32(np.inf))
    outside = lengths(rows.astype(float) - x, norm) > radius
    assert outside.any()
    assert lengths(z.astype(float) - x, norm)[outside] == pytest.approx(radius[outside], rel=1e-5, abs=2e-6)


@norms
def test_torch_gives_the_same_bits_as_numpy(norm):
    problem_ = problem(5)
    there = project(*(torch.from_numpy(a) for a in problem_[:3]), norm, *(torch.from_numpy(a) for a in problem_[3:]))
    assert np.array_equal(there.numpy(), project(*problem_[:3], norm, *problem_[3:]))
