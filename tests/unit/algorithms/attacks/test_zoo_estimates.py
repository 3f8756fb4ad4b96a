"""ZOO's estimates beside analytic slopes and curvatures, in float64 and where scores are float32; and its draws."""

from itertools import pairwise

import numpy as np
import pytest

from algorithms.attacks.zoo.coordinates import draw, weighted
from algorithms.attacks.zoo.features import Features
from algorithms.attacks.zoo.grid import Grid
from algorithms.attacks.zoo.parabolas import through
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.windows import Canvas
from algorithms.threats.threat import Box, Threat
from tests.truths import TinyTanh

D = 6
MODEL = TinyTanh(0, D)
SHIFT = 10.0  # scores are as large as those of image models
X = np.random.default_rng(2).uniform(0.3, 0.7, (2, D)).astype(np.float32)
THREAT = Threat(Norm.L2, Box(np.zeros((1, D), np.float32), np.ones((1, D), np.float32)))


def estimated(difference: float, *, scores: type, x=X, threat=THREAT):
    """Slopes and curvatures (m, D) of f_0 - f_1 along all features."""
    drawn = np.broadcast_to(np.arange(D), (len(x), D))
    probes = Features(Canvas.of((D,)), threat).probe(x, x, np.ones((len(x), 1)), drawn, np.full(x.shape, difference))
    z = SHIFT + MODEL.logits(probes.rows.reshape(-1, D).astype(np.float64))
    z = z.astype(scores).astype(np.float64)
    return probes.lines.parabolas((z[:, 0] - z[:, 1]).reshape(len(x), -1))


def analytic(x=X):
    jacobian, hessian = MODEL.jacobian(x.astype(np.float64)), MODEL.hessian(x.astype(np.float64))
    return jacobian[:, 0] - jacobian[:, 1], np.diagonal(hessian[:, 0] - hessian[:, 1], axis1=1, axis2=2)


def off(found, true) -> float:
    """The largest error, in the largest value."""
    return float(np.abs(found - true).max() / np.abs(true).max())


def test_as_the_difference_falls_estimates_come_to_the_analytic_slopes_and_curvatures():
    """The error falls with its square: rows are float32, and so far apart that this does not count."""
    slopes, curvatures = analytic()
    errors = []
    for difference in (0.08, 0.04, 0.02):
        found = estimated(difference, scores=np.float64)
        errors.append((off(found[0], slopes), off(found[1], curvatures)))
    for wide, narrow in pairwise(errors):
        assert narrow[0] < 0.3 * wide[0] and narrow[1] < 0.3 * wide[1]
    assert errors[-1][0] < 0.01 and errors[-1][1] < 0.01


def test_scores_in_float32_give_slopes_and_curvatures_at_a_hundredth_of_the_box_and_noise_at_the_published_difference():
    slopes, curvatures = analytic()
    ours, published = estimated(0.01, scores=np.float32), estimated(1e-4, scores=np.float32)
    assert off(ours[0], slopes) < 0.002 and off(ours[1], curvatures) < 0.02
    assert off(published[1], curvatures) > 1


def test_at_an_end_of_the_box_both_probes_are_inside_and_the_estimate_is_as_good():
    x = X.copy()
    x[0, :3], x[1, :3] = 0.0, 1.0
    slopes, curvatures = analytic(x)
    found = estimated(0.01, scores=np.float64, x=x)
    assert off(found[0], slopes) < 0.01 and off(found[1], curvatures) < 0.1


@pytest.mark.parametrize(("a", "b"), [(0.1, -0.1), (0.1, 0.2), (-0.3, -0.1), (0.2, -0.05)])
def test_a_parabola_is_found_through_any_three_of_its_points(a, b):
    def bowl(t):
        return np.array([[3 - 2 * t + 5 * t**2]])

    slope, curvature = through(bowl(0.0), bowl(a), bowl(b), np.array([[a]]), np.array([[b]]))
    assert slope[0, 0] == pytest.approx(-2) and curvature[0, 0] == pytest.approx(10)


@pytest.mark.parametrize(
    ("a", "b", "at_a"), [(0.0, -0.1, 1.0), (0.1, 0.1, 1.0), (0.1, -0.1, np.nan), (0.1, -0.1, np.inf)]
)
def test_what_is_no_parabola_has_neither_slope_nor_curvature(a, b, at_a):
    one = np.ones((1, 1))
    slope, curvature = through(one, at_a * one, 2 * one, a * one, b * one)
    assert slope[0, 0] == curvature[0, 0] == 0


def test_along_a_grid_slopes_are_those_of_the_images_it_makes():
    shape = (1, 2, 3)
    canvas, sides = Canvas.of(shape), THREAT.arranged(lambda side: side)
    grid = Grid(canvas, sides, 2)
    drawn = np.broadcast_to(np.arange(grid.size), (2, grid.size))
    images = np.stack([grid.along(drawn[:1], np.eye(grid.size)[[j]])[0] for j in range(grid.size)])  # (4, 6)
    probes = grid.probe(X, X, np.ones((2, 1)), drawn, np.full(X.shape, 0.01))
    z = MODEL.logits(probes.rows.reshape(-1, D).astype(np.float64))
    found, _ = probes.lines.parabolas((z[:, 0] - z[:, 1]).reshape(2, -1))
    assert off(found, analytic()[0] @ images.T) < 0.01
    assert probes.lines.squares == pytest.approx(np.broadcast_to((images**2).sum(axis=1), (2, grid.size)))
    assert grid.square == pytest.approx((images**2).sum())


def test_squared_distances_of_probes_are_those_of_their_rows():
    points = np.clip(X + np.float32(0.1), 0, 1)
    drawn = np.array([[0, 3, 5], [1, 2, 4]])
    for space in (Features(Canvas.of((D,)), THREAT), Grid(Canvas.of((D,)), THREAT, 6 - 1)):
        probes = space.probe(points, X, np.ones((2, 1)), drawn % space.size, np.full(X.shape, 0.01))
        away = np.square(probes.rows - X[:, None].astype(np.float64)).sum(axis=2)
        np.testing.assert_allclose(probes.farther, away - away[:, :1], atol=1e-12)


def rngs(n: int):
    return [np.random.default_rng(seed) for seed in range(n)]


@pytest.mark.parametrize("weights", [None, weighted(np.zeros((3, 50)), 0.1)], ids=["alike", "nothing moved"])
def test_no_coordinate_is_drawn_twice_and_all_where_more_are_wanted(weights):
    """Where nothing has moved all weigh the same: nothing is out of reach."""
    drawn = draw(rngs(3), weights, 50, 20)
    assert drawn.shape == (3, 20) and all(len(set(row)) == 20 for row in drawn.tolist())
    assert draw(rngs(3), weights, 50, 128).tolist() == [list(range(50))] * 3


def test_the_first_drawn_is_as_likely_as_it_has_moved_but_for_the_share_of_all():
    """Of 20,000 draws; five standard deviations of a share are at most 0.018."""
    moved = np.array([[0.0, 0.0, 1.0, 3.0]])
    weights = weighted(moved, 0.2)
    assert weights[0] == pytest.approx([0.05, 0.05, 0.25, 0.65])
    (rng,) = rngs(1)
    first = np.array([draw([rng], weights, 4, 1)[0, 0] for _ in range(20_000)])
    assert np.bincount(first, minlength=4) / len(first) == pytest.approx(weights[0], abs=0.018)


def test_neighbors_of_what_has_moved_are_drawn_with_it():
    box = Box(np.zeros((1, 768), np.float32), np.ones((1, 768), np.float32))
    space = Features(Canvas.of((16, 16, 3)), Threat(Norm.L2, box))
    offsets = np.zeros((1, 16, 16, 3))
    offsets[0, 5, 7, 1] = -2.0
    (weights,) = space.weigh(offsets.reshape(1, -1)).reshape(1, 16, 16, 3)
    assert weights[5:7, 7:9, 1].min() == 2 and weights.sum() == 8  # of two pixels a side, in its channel alone
