"""The tangent point in closed form against brute force in the plane, and the jump that looks for it."""

import numpy as np
import pytest

from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case
from algorithms.searches.directions.full import Full
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.tangent_point import HALVINGS, tangent_jump, tangent_point
from algorithms.threats.threat import Box, Threat
from tests.unit.algorithms.searches.conversing import answered

ANYWHERE = Threat(box=Box.unbounded())
ORIGIN = np.zeros(2)


def unit(angle):
    return np.array([np.cos(angle), np.sin(angle)])


@pytest.mark.parametrize("radii", [(0.5, 0.5), (0.9, 0.9), (0.3, 0.9), (0.8, 0.88)], ids=str)
@pytest.mark.parametrize("degrees", [20, 60, 85])
def test_from_it_the_way_to_the_sample_crosses_the_plane_nearest_to_the_sample(radii, degrees):
    """By brute force: ways from a million points of the half above a plane, to a sample at distance 1 below it."""
    point, up = np.array([0.3, -0.2]), unit(np.deg2rad(70))
    across = np.array([up[1], -up[0]])
    sample = point + np.cos(np.deg2rad(degrees)) * across - np.sin(np.deg2rad(degrees)) * up
    angles = np.linspace(1e-4, np.pi - 1e-4, 1_000_001)
    high, wide = radii[1] * np.sin(angles), radii[0] * np.cos(angles)
    depth, out = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    crossed = wide + (out - wide) * high / (high + depth)  # where each way meets the plane, from the point on
    best = np.argmin(np.abs(out - crossed))  # nearest to the foot of the sample
    found = tangent_point(sample, point, up, radii, ANYWHERE)
    touched = np.array([(found - point) @ across, (found - point) @ up])
    if touched[1] > 0:  # else no tangent touches the upper half, and the best way is the highest
        np.testing.assert_allclose(touched, [wide[best], high[best]], atol=1e-5)
    assert np.square(touched / radii).sum() == pytest.approx(1)
    slope = np.array([touched[0] / radii[0] ** 2, touched[1] / radii[1] ** 2])  # of the ellipsoid there
    assert slope @ (touched - [out, -depth]) == pytest.approx(0, abs=1e-9)


def test_in_many_dimensions_it_lies_in_the_plane_of_normal_and_sample():
    rng = np.random.default_rng(0)
    x, point, normal = rng.normal(size=(3, 4, 5))
    normal *= np.sign(((point - x) * normal).sum()) / np.linalg.norm(normal)
    found = tangent_point(x, point, normal, (0.4, 0.5), ANYWHERE) - point
    basis = np.stack([normal.ravel(), (x - point).ravel()])
    rest = found.ravel() - basis.T @ np.linalg.lstsq(basis.T, found.ravel(), rcond=None)[0]
    np.testing.assert_allclose(rest, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("x", "radii"),
    [((0.0, -1.0), (0.5, 0.5)), ((0.3, -0.3), (0.5, 0.5)), ((0.5, 0.0), (0.5, 0.5))],
    ids=["along the normal", "within", "on it"],
)
def test_there_is_none_where_there_is_no_plane_or_no_tangent(x, radii):
    assert tangent_point(np.array(x), ORIGIN, np.array([0.0, 1.0]), radii, ANYWHERE) is None


def standing(at):
    case = Case(np.zeros(2, np.float32), 0, None, None, 2, Stream(0, 0, "t"))
    walk = BoundaryWalk(case, ANYWHERE, [Full(Norm.L2)], 1e-6)
    walk.point, walk.distance = np.array(at, np.float32), float(np.linalg.norm(at))
    walk.is_adversarial = lambda row: (yield row)
    return walk


@pytest.mark.parametrize(("k", "ratio"), [(1, 1.0), (4, 1.0), (4, 2.0)])
def test_the_jump_halves_its_radius_until_it_is_adversarial(k, ratio):
    """At k = 1 the hemisphere reaches the sample: there is no tangent yet, and nothing is asked."""
    walk, normal, asked = standing([0.0, 1.0]), unit(np.pi / 4), []
    landed = answered(tangent_jump(walk, normal, k, ratio), lambda row: asked.append(row) or len(asked) == 3)
    radius = 1 / np.sqrt(k) / 2 ** (3 if k == 1 else 2)
    np.testing.assert_array_equal(landed, asked[2])
    expected = tangent_point(walk.case.x, walk.point, normal, (radius / ratio, radius), ANYWHERE)
    np.testing.assert_allclose(landed, expected, atol=1e-6)


def test_a_jump_that_is_nowhere_adversarial_ends():
    asked = []
    walk = standing([0.0, 1.0])
    assert answered(tangent_jump(walk, unit(np.pi / 4), 2, 1.0), lambda row: asked.append(row) or False) is None
    assert len(asked) <= HALVINGS
