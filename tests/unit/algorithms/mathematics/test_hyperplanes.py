"""Steps onto hyperplanes within boxes, against linear programs and a general solver."""

import numpy as np
import pytest
from scipy.optimize import linprog, minimize

from algorithms.mathematics.hyperplanes import step_onto
from algorithms.mathematics.norms import NORMS, Norm


def problem(seed: int, d: int = 6):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 1, (1, d))
    x[0, 0] = 0.0  # one feature stands at the box's edge
    slopes = rng.normal(size=(1, d))
    slopes[0, 1] = 0.0
    gap = rng.choice([-1, 1]) * rng.uniform(0.1, 0.9) * (np.abs(slopes) * np.where(slopes > 0, x, 1 - x)).sum()
    return x, slopes, np.array([gap]), np.zeros((1, d)), np.ones((1, d))


def solved(x, w, gap, norm):
    """The least length of a change with gap + w change = 0 that keeps x in [0, 1]."""
    d = len(x)
    if norm is Norm.L2:
        bounds = list(zip(-x, 1 - x, strict=True))
        line = {"type": "eq", "fun": lambda c: gap + w @ c, "jac": lambda _: w}
        found = minimize(lambda c: c @ c, np.zeros(d), jac=lambda c: 2 * c, bounds=bounds, constraints=line, tol=1e-14)
        return np.sqrt(found.fun) if found.success and abs(gap + w @ found.x) < 1e-6 else None
    if norm is Norm.L1:
        found = linprog(
            np.ones(2 * d), A_eq=[np.r_[w, -w]], b_eq=[-gap], bounds=[(0, r) for r in np.concatenate([1 - x, x])]
        )
    else:
        rows = np.r_[np.c_[np.eye(d), -np.ones(d)], np.c_[-np.eye(d), -np.ones(d)]]
        found = linprog(
            np.r_[np.zeros(d), 1],
            A_ub=rows,
            b_ub=np.zeros(2 * d),
            A_eq=[np.r_[w, 0]],
            b_eq=[-gap],
            bounds=[*zip(-x, 1 - x, strict=True), (0, None)],
        )
    return found.fun if found.success else None


@pytest.mark.parametrize("norm", NORMS)
def test_a_step_onto_a_hyperplane_is_the_least_there_is(norm):
    feasible = 0
    for seed in range(30):
        x, w, gap, low, high = problem(seed)
        (step,) = step_onto(x, w, gap, norm, low, high)
        assert ((x[0] + step >= -1e-12) & (x[0] + step <= 1 + 1e-12)).all()
        least = solved(x[0], w[0], gap[0], norm)
        if least is None:  # every feature moves all its room
            assert abs(gap[0] + w[0] @ step) == pytest.approx(
                min(abs(gap[0] + w[0] @ (corner - x[0])) for corner in _corners(x.shape[1]))
            )
        else:
            feasible += 1
            assert gap[0] + w[0] @ step == pytest.approx(0, abs=1e-9)
            assert np.linalg.norm(step, norm.p) == pytest.approx(least, rel=1e-5)
    assert 10 < feasible < 30


def _corners(d):
    return np.stack(np.meshgrid(*[[0.0, 1.0]] * d), axis=-1).reshape(-1, d)


@pytest.mark.parametrize("norm", NORMS)
def test_without_a_box_the_length_is_the_gap_over_the_dual_norm_and_company_changes_nothing(norm):
    rng = np.random.default_rng(0)
    x, w, gaps = rng.normal(size=(5, 8)), rng.normal(size=(5, 8)), rng.normal(size=5)
    low, high = np.array([[-np.inf]]), np.array([[np.inf]])
    steps = step_onto(x, w, gaps, norm, low, high)
    lengths = np.linalg.norm(steps, norm.p, axis=1)
    assert lengths == pytest.approx(np.abs(gaps) / np.linalg.norm(w, norm.dual.p, axis=1))
    alone = [step_onto(x[[i]], w[[i]], gaps[[i]], norm, low, high)[0] for i in range(5)]
    assert np.array_equal(steps, np.stack(alone))


@pytest.mark.parametrize("norm", NORMS)
def test_where_nothing_slopes_nothing_moves(norm):
    x, zero, box = np.full((1, 4), 0.5), np.zeros((1, 4)), (np.zeros((1, 4)), np.full((1, 4), np.inf))
    assert not step_onto(x, zero, np.ones(1), norm, *box).any()
