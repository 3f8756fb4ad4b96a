"""The semicircle of CGBA and CGBA-H in the plane, where all of it can be computed, and their clouds."""

import numpy as np
import pytest

from algorithms.attacks import cgba_h
from algorithms.attacks.cgba import CGBAParams
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case
from algorithms.searches.directions.full import Full
from algorithms.searches.directions.low_frequencies import LowFrequencies
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.line import halve
from algorithms.searches.labels.semicircle import angle_to, radius, semicircle
from algorithms.threats.threat import Box, Threat
from tests.unit.algorithms.searches.conversing import answered

X = np.zeros(2, np.float32)


def standing(at, law=Full(Norm.L2), box=Box.unbounded()):
    """A walk in the middle of its way, at this point."""
    walk = BoundaryWalk(Case(np.zeros_like(at), 0, None, None, 2, Stream(0, 0, "t")), Threat(box=box), [law], 1e-6)
    walk.point, walk.distance = at, float(np.linalg.norm(at))
    return walk


@pytest.mark.parametrize("degrees", [20, 60, 85])
def test_the_semicircle_meets_a_plane_where_the_sample_is_nearest_to_it(degrees):
    """The plane passes the point at this angle to the way: angle 90 - `degrees` lies between way and normal."""
    at, turn = np.array([2.0, 0.0], np.float32), np.deg2rad(degrees)
    normal = np.array([np.sin(turn), np.cos(turn)])
    walk = standing(at)
    assert angle_to(semicircle(walk, normal), normal) == pytest.approx(np.pi / 2 - turn, abs=1e-6)
    found = answered(halved(semicircle(walk, normal)), lambda z: normal @ z.astype(np.float64) >= 2 * np.sin(turn))
    np.testing.assert_allclose(found, 2 * np.sin(turn) * normal, atol=1e-5)


def halved(arc):
    """Where halving ends on an arc, asking rows instead of questions."""
    share = yield from halve(arc, lambda z: (yield z), halvings=30)
    return arc.at(share)


@pytest.mark.parametrize(("wall", "turned"), [(0.2, 1), (1.5, 2), (1.9, 3)])
def test_cgba_h_turns_half_of_the_way_to_the_normal_until_that_is_adversarial(wall, turned):
    """z(angle) = 2 cos(angle) (cos(angle), sin(angle)); adversarial beyond z0 = `wall`, at angles 30, 15, 7.5."""
    walk, normal = standing(np.array([2.0, 0.0], np.float32)), np.array([np.cos(np.pi / 3), np.sin(np.pi / 3)])
    angle = np.pi / 3 / 2**turned
    walk.is_adversarial = lambda z: (yield z)
    found = answered(cgba_h.step(walk, normal), lambda z: z[0] > wall)
    np.testing.assert_allclose(found, 2 * np.cos(angle) * np.array([np.cos(angle), np.sin(angle)]), atol=1e-6)


def test_cgba_h_stays_where_no_angle_is_adversarial():
    walk, asked = standing(np.array([2.0, 0.0], np.float32)), []
    walk.is_adversarial = lambda z: (yield z)
    assert answered(cgba_h.step(walk, np.array([0.5, 0.8])), lambda z: asked.append(z) or False) is None
    assert len(asked) <= cgba_h.HALVINGS


def test_a_clouds_deviation_is_sigma_of_the_box_in_every_dimension_drawn_from():
    point, sigma = np.full((1, 16, 16), 0.5, np.float32), CGBAParams().sigma
    box = Box(np.float32(-1) * np.ones((), np.float32), np.float32(2) * np.ones((), np.float32))
    assert radius(standing(point, box=box), sigma) == pytest.approx(3 * 2e-4 * 16)
    assert radius(standing(point, LowFrequencies.of(point.shape, 0.25), box), sigma) == pytest.approx(3 * 2e-4 * 4)


def test_a_cloud_is_no_wider_than_a_tenth_of_the_distance_and_no_narrower_than_float32_can_tell():
    near, large = np.zeros(100, np.float32), np.full(100, 1e5, np.float32)
    near[0] = 1e-3
    assert radius(standing(near), 0.1) == pytest.approx(1e-4)
    assert radius(standing(large), 2e-4) >= 10 * np.spacing(np.float32(1e5))
