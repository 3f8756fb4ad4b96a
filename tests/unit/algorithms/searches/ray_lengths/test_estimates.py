"""How OPT, Sign-OPT and SVM-OPT estimate the gradient of log g, on a half-space and a ball, where it is known."""

import numpy as np
import pytest
from scipy.optimize import minimize

from algorithms.attacks.opt import OptParams, measure
from algorithms.attacks.svm_opt import separating, svm_gradient
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case
from algorithms.seam.questions.cloud import AskCloud
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.ray_lengths.descent import DescentParams, RayDescent
from algorithms.searches.ray_lengths.signs import ask_signs
from algorithms.threats.threat import Box, Threat

D = 60
X = np.zeros(D, np.float32)
W = np.eye(D)[0] * 0.6 + np.eye(D)[1] * 0.8  # normal of the half-space


def above(rows):
    return rows.astype(np.float64) @ W >= 1


def descent(truth, params, norm=Norm.L2):
    """One that stands at the boundary in direction e_0, beta as it is first."""
    standing = RayDescent(
        Case(X, label=0, target=None, scores=None, classes=2, stream=Stream(0, 0, "t")),
        Threat(norm=norm, box=Box.unbounded()),
        params,
    )
    point = np.zeros(D, np.float32)
    low, high = 0.0, 10.0
    for _ in range(60):
        point[0] = (low + high) / 2
        low, high = (low, point[0]) if truth(point[None])[0] else (point[0], high)
    point[0] = high
    held(standing.walk.arrive(point, high), truth)
    standing.beta = params.beta
    return standing


def held(step, truth):
    """Hold a conversation with a model that answers the truth, 1 or 0; return what it found."""
    try:
        asked = next(step)
        while True:
            asked = step.send(_answer(asked, truth))
    except StopIteration as end:
        return end.value


def _answer(asked, truth):
    match asked:
        case AskLabels():
            return truth(asked.rows).astype(np.int64)
        case AskCloud():
            kept = asked.reduction()
            for points in asked.cloud.blocks():
                kept.feed(points, truth(points).astype(np.int64))
            return kept
    return None


SLOPE = np.eye(D)[1] * -0.8 / 0.6  # of log g at theta = e_0, along the sphere: on the half-space g = 1 / (W.theta)


def cosine(g, truth):
    return g @ truth / np.linalg.norm(g) / np.linalg.norm(truth)


@pytest.mark.parametrize("search", ["doubling", "paper"])
def test_opt_points_at_the_gradient_of_g_and_is_as_long_as_theory_says(search):
    """The mean of (u.g) u over unit directions u is g / D; the mean taken off leaves (q - 1) / q of it."""
    params = OptParams(probes=1000, search=search)
    standing = descent(above, params)
    seen = held(measure(standing, params, standing.spread), above)
    assert cosine(seen.gradient, SLOPE) > 0.95
    assert D * seen.gradient[1] == pytest.approx(SLOPE[1], rel=0.1)
    typical = 0.6745 * np.linalg.norm(SLOPE) / np.sqrt(D)  # the median of a normal's size
    assert seen.typical == pytest.approx(typical, rel=0.3), "halved once"


def test_the_shortest_probe_is_adversarial_and_shorter():
    params = OptParams(probes=50)
    standing = descent(above, params)
    seen = held(measure(standing, params, standing.spread), above)
    assert above(seen.shortest[None])[0]
    assert np.linalg.norm(seen.shortest) < standing.g


def test_signs_point_at_the_gradient_as_closely_as_one_query_each_can():
    """cos = a / sqrt(a^2 + 1/n) with a = sqrt(2 / (pi (D - 1))), as for a cloud around a boundary."""
    params, n = DescentParams(name="t", probes=500), 500
    standing = descent(above, params)
    found = []
    for _ in range(12):
        signs = held(ask_signs(standing, n), above)
        found.append(cosine(signs.mean, SLOPE))
    a = np.sqrt(2 / (np.pi * (D - 1)))
    assert np.mean(found) == pytest.approx(a / np.sqrt(a**2 + 1 / n), abs=0.02)


def test_out_of_a_ball_both_find_the_way_to_where_it_is_nearest():
    """From a sample beside the center of the ball, seen in a direction across: the boundary is nearest behind it."""
    side = 0.5 * np.eye(D)[1]

    def truth(rows):
        return np.square(rows.astype(np.float64) - side).sum(axis=1) >= 1

    params = OptParams(probes=300)
    standing = descent(truth, params)
    seen = held(measure(standing, params, standing.spread), truth)
    signs = held(ask_signs(standing, 300), truth)
    assert cosine(seen.gradient, np.eye(D)[1]) > 0.85
    assert cosine(signs.mean, np.eye(D)[1]) > 0.8


def test_in_linf_signs_point_along_the_normal_even_from_a_corner_of_the_cube():
    standing = descent(above, DescentParams(name="t", probes=2000), Norm.LINF)
    corner = np.where(W > 0, 1, -1).astype(np.float32) / W.sum().astype(np.float32)
    held(standing.walk.arrive(corner, 1.0), above)
    signs = held(ask_signs(standing, 2000), above)
    assert cosine(signs.mean, -W) > 0.9


def test_where_all_rays_are_longer_or_all_shorter_nothing_is_nan():
    for label in (0, 1):
        standing = descent(above, DescentParams(name="t", probes=70))
        signs = held(ask_signs(standing, 70), lambda z, label=label: np.full(len(z), label))
        assert np.isfinite(signs.mean).all()


@pytest.mark.parametrize(("k", "d"), [(10, 40), (40, 40), (60, 12)])
def test_the_separating_direction_is_that_of_the_least_w_with_all_products_at_least_one(k, d):
    """Beside a general solver of scipy's, on rows that can be separated."""
    rng = np.random.default_rng(k)
    w = rng.normal(size=d)
    rows = rng.normal(size=(k, d)) / np.sqrt(d)
    rows = (rows * np.sign(rows @ w)[:, None]).astype(np.float32)
    dual = minimize(
        lambda a: (0.5 * np.square(a @ rows).sum() - a.sum(), rows @ (a @ rows) - 1),
        np.ones(k),
        jac=True,
        bounds=[(0, None)] * k,
        method="L-BFGS-B",
        options={"maxiter": 20_000, "ftol": 1e-15, "gtol": 1e-10},
    )
    assert cosine(separating(rows), dual.x @ rows) > 0.995


def test_it_leans_towards_the_gradient_closer_than_the_mean_of_the_rows():
    rng = np.random.default_rng(0)
    w, rows = rng.normal(size=30), rng.normal(size=(100, 30)).astype(np.float32)
    rows *= np.sign(rows @ w)[:, None].astype(np.float32)
    assert cosine(separating(rows), w) > cosine(rows.mean(axis=0), w) + 0.05


@pytest.mark.parametrize("rows", [np.zeros((5, 8)), np.eye(8)[[0, 0, 1]] * [[1], [-1], [1]], np.ones((4, 8))])
def test_rows_without_a_direction_that_suits_all_end_in_numbers(rows):
    assert np.isfinite(separating(rows.astype(np.float32))).all()


def test_svm_opt_points_at_the_gradient():
    standing = descent(above, DescentParams(name="t", probes=100))
    gradient = held(svm_gradient(standing, 100), above)
    assert cosine(gradient, SLOPE) > 0.75
