"""The estimate of a boundary's normal, where the normal is known: on a half-space and on a ball."""

import numpy as np
import pytest

from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.questions.cloud import Cloud
from algorithms.searches.directions.full import Full
from algorithms.searches.labels.normal import NormalEstimate
from algorithms.threats.threat import Box, Threat

D = 200
RADIUS = 0.01  # of the clouds


def estimated(truth, *, at, n, seed):
    """The normal at a point (d,), from the labels of one cloud."""
    cloud = Cloud(at.astype(np.float32), RADIUS, Full(Norm.L2), n, Threat(box=Box.unbounded()), Stream(seed, 0, "t"), 0)
    seen = NormalEstimate(cloud, lambda labels: labels == 1)
    for points in cloud.blocks():
        seen.feed(points, truth(points.astype(np.float64)).astype(np.int64))
    return seen.normal


def mean_cosine(truth, *, at, normal, n):
    """With the true normal, over 16 estimates: their spread makes 0.02 more than four deviations of the mean."""
    found = [estimated(truth, at=at, n=n, seed=seed) for seed in range(16)]
    return np.mean([g @ normal / np.linalg.norm(g) / np.linalg.norm(normal) for g in found])


def expected(n, d=D):
    """cos(g, w) = a / sqrt(a^2 + 1/n), a = sqrt(2 / (pi d)): sqrt(2 n / (pi d)) where n is far below d."""
    a = np.sqrt(2 / (np.pi * d))
    return a / np.sqrt(a**2 + 1 / n)


@pytest.mark.parametrize("n", [40, 500])
def test_on_a_half_space_it_leans_towards_the_normal_as_theory_says(n):
    w = np.random.default_rng(0).normal(size=D)
    assert mean_cosine(lambda z: z @ w > 0, at=np.zeros(D), normal=w, n=n) == pytest.approx(expected(n), abs=0.02)


@pytest.mark.parametrize("is_outside", [True, False], ids=["outside", "inside"])
def test_on_a_ball_it_leans_towards_the_radius_as_theory_says(is_outside):
    """A boundary that bends little within a cloud, whichever side is adversarial."""
    to_rim = np.random.default_rng(1).normal(size=D)
    to_rim /= np.linalg.norm(to_rim)
    outwards = 1.0 if is_outside else -1.0
    found = mean_cosine(
        lambda z: outwards * (np.square(z).sum(axis=1) - 1) > 0, at=to_rim, normal=outwards * to_rim, n=500
    )
    assert found == pytest.approx(expected(500), abs=0.02)


def test_where_the_boundary_bends_within_the_cloud_the_mean_taken_off_keeps_it_sharp():
    """On a rim of ten clouds' radius most points lie outside: without its baseline the estimate would lean less."""
    to_rim = np.zeros(D)
    to_rim[0] = 10 * RADIUS
    outside = lambda z: np.square(z).sum(axis=1) > (10 * RADIUS) ** 2  # noqa: E731
    cloud = Cloud(
        to_rim.astype(np.float32), RADIUS, Full(Norm.L2), 500, Threat(box=Box.unbounded()), Stream(0, 0, "t"), 0
    )
    assert np.mean([outside(points).mean() for points in cloud.blocks()]) > 0.6
    assert mean_cosine(outside, at=to_rim, normal=to_rim, n=500) > 0.8 * expected(500)


@pytest.mark.parametrize("label", [0, 1])
def test_where_all_points_lie_on_one_side_the_estimate_is_their_mean_or_its_opposite(label):
    cloud = Cloud(np.full(9, 0.5, np.float32), 0.1, Full(Norm.L2), 70, Threat(), Stream(0, 0, "test"), 0)
    seen, points = NormalEstimate(cloud, lambda labels: labels == 1), list(cloud.blocks())
    for block in points:
        seen.feed(block, np.full(len(block), label))
    mean = (np.concatenate(points).astype(np.float64) - 0.5).sum(axis=0) / 0.1
    np.testing.assert_allclose(seen.normal, mean if label else -mean, rtol=1e-4, atol=1e-5)
