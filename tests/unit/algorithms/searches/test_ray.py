"""Rays where it is known how far their adversarial part reaches: towards a half-space, out of a ball, along a wall."""

import numpy as np
import pytest

from algorithms.mathematics.norms import Norm
from algorithms.searches.labels.line import halve
from algorithms.searches.labels.ray import Ray
from algorithms.threats.threat import Box, Threat
from tests.unit.algorithms.searches.conversing import answered

X = np.full((2, 3), 0.4, np.float32)
DIRECTION = np.linspace(0.1, 0.6, 6).reshape(2, 3) / np.linalg.norm(np.linspace(0.1, 0.6, 6))


def nearest(ray: Ray, truth, lines=None):
    share = answered(halve(ray, lambda rows: (yield rows), halvings=24, lines=lines), truth)
    return ray.at(share)


def test_it_meets_a_half_space_where_the_formula_says():
    """w.(z - x) = 0.5 at length 0.5 / (w.direction)."""
    w = np.linspace(-0.5, 1, 6).reshape(2, 3)
    length = 0.5 / (w * DIRECTION).sum()
    found = nearest(Ray(X, DIRECTION, 4 * length, Threat(box=Box.unbounded())), lambda z: (w * (z - X)).sum() > 0.5)
    np.testing.assert_allclose(found, X + length * DIRECTION, atol=1e-5)


def test_it_leaves_a_ball_where_the_formula_says():
    """|x + t s - c| = R at t = s.(c - x) + sqrt((s.(c - x))^2 + R^2 - |x - c|^2)."""
    c, radius = X + 0.05, 0.3
    along = (DIRECTION * (c - X)).sum()
    length = along + np.sqrt(along**2 + radius**2 - np.square(X - c).sum())
    found = nearest(Ray(X, DIRECTION, 2.0, Threat(box=Box.unbounded())), lambda z: np.square(z - c).sum() > radius**2)
    np.testing.assert_allclose(found, X + length * DIRECTION, atol=1e-5)


def test_it_goes_along_the_wall_of_the_box_and_measures_what_is_valid():
    """In linf, towards (1, 1/4): the first feature stays at 1 from length 0.6 on, while the second goes on."""
    x, direction = np.array([0.4, 0.4], np.float32), np.array([1.0, 0.25])
    ray = Ray(x, direction, 2.0, Threat(norm=Norm.LINF))
    np.testing.assert_allclose(ray.at(0.5), [1.0, 0.65], atol=1e-6)
    np.testing.assert_array_equal(ray.far, ray.at(1.0))
    assert Threat(norm=Norm.LINF).distance(ray.at(0.5), x) == pytest.approx(0.6, abs=1e-6)
    np.testing.assert_allclose(nearest(ray, lambda z: z[1] > 0.7), [1.0, 0.7], atol=1e-5)


def test_rays_of_many_samples_are_each_as_it_would_be_alone():
    rng = np.random.default_rng(0)
    x, direction = rng.random((5, 2, 3), np.float32), rng.normal(size=(5, 2, 3))
    length = np.linspace(0.5, 3, 5)
    far_out = lambda z: z.reshape(-1, 6).astype(np.float64).sum(axis=1) > 3.2  # noqa: E731
    together = nearest(Ray(x, direction, length, Threat()), far_out, lines=5)
    for i in range(5):
        alone = nearest(Ray(x[i], direction[i], float(length[i]), Threat()), lambda z: bool(far_out(z)[0]))
        np.testing.assert_array_equal(together[i], alone)
