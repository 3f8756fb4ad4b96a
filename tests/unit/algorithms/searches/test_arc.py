"""Arcs on a half-space and a ball, where it is known where a circle meets them."""

import numpy as np
import pytest

from algorithms.searches.labels.arc import RIGHT, Arc, sideways
from algorithms.searches.labels.line import halve
from algorithms.threats.threat import Box, Threat
from tests.unit.algorithms.searches.conversing import answered

ANYWHERE = Threat(box=Box.unbounded())
RNG = np.random.default_rng(4)
X = RNG.normal(size=(2, 4)).astype(np.float32)
POINT = X + RNG.normal(size=(2, 4)).astype(np.float32)


def arc(direction, x=X, point=POINT, threat=ANYWHERE, **angles):
    return Arc(x, point, sideways((point - x)[None], direction[None], threat)[0], threat, **angles)


def test_sideways_is_at_right_angles_to_the_way_and_as_long():
    ways, directions = RNG.normal(size=(5, 2, 4)), RNG.normal(size=(5, 2, 4))
    across = sideways(ways, directions, ANYWHERE)
    np.testing.assert_allclose((across * ways).sum(axis=(1, 2)), 0, atol=1e-6)
    np.testing.assert_allclose(ANYWHERE.lengths(across), ANYWHERE.lengths(ways), rtol=1e-6)
    assert ((across * directions).sum(axis=(1, 2)) > 0).all()


@pytest.mark.parametrize("direction", [POINT - X, -3 * (POINT - X), 0 * X], ids=["ahead", "back", "nowhere"])
def test_a_direction_that_leads_along_the_way_leaves_no_side_and_a_straight_line_back(direction):
    straight = arc(direction)
    assert not straight.sideways.any()
    np.testing.assert_allclose(straight.at(0.5), X + np.cos(RIGHT / 2) ** 2 * (POINT - X), atol=1e-6)


def test_it_leads_from_the_point_to_the_sample_on_the_circle_between_them():
    circle, middle = arc(RNG.normal(size=(2, 4))), (X + POINT) / 2
    np.testing.assert_array_equal(circle.far, POINT)
    np.testing.assert_allclose(circle.at(0.0), X, atol=1e-6)
    for share in np.linspace(0, 1, 9):
        assert ANYWHERE.distance(circle.at(share), middle) == pytest.approx(ANYWHERE.distance(X, middle), rel=1e-5)
        cos = np.cos((1 - share) * RIGHT)
        assert ANYWHERE.distance(circle.at(share), X) == pytest.approx(cos * ANYWHERE.distance(POINT, X), abs=1e-5)


def test_between_two_angles_it_leads_from_the_outer_to_the_inner():
    direction = RNG.normal(size=(2, 4))
    whole, part = arc(direction), arc(direction, outer=0.2, inner=0.5)
    np.testing.assert_allclose(part.far, whole.at(1 - 0.2 / RIGHT), atol=1e-6)
    np.testing.assert_allclose(part.at(0.0), whole.at(1 - 0.5 / RIGHT), atol=1e-6)


def test_towards_the_normal_of_a_half_space_it_ends_in_the_nearest_point_of_all():
    """Thales: the foot of the perpendicular lies on the circle through the sample and any point of the plane."""
    w = RNG.normal(size=(2, 4))
    w /= ANYWHERE.lengths(w[None])[0]
    away = float((w * (POINT - X)).sum())
    w *= np.sign(away)
    circle = arc(w)
    share = answered(halve(circle, lambda z: (yield z), halvings=30), lambda z: (w * (z - X)).sum() > abs(away))
    np.testing.assert_allclose(circle.at(share), X + abs(away) * w, atol=1e-5)


def test_out_of_a_ball_it_ends_where_the_distances_say():
    """Sample in the center of a ball: z is on its rim where r cos(angle) is its radius."""
    circle, radius = arc(RNG.normal(size=(2, 4))), 0.6 * ANYWHERE.distance(POINT, X)
    share = answered(halve(circle, lambda z: (yield z), halvings=30), lambda z: np.square(z - X).sum() > radius**2)
    assert (1 - share) * RIGHT == pytest.approx(np.arccos(0.6), abs=1e-5)


def test_its_points_are_valid():
    x, point = np.full((2, 4), 0.9, np.float32), np.full((2, 4), 0.1, np.float32)
    circle = arc(RNG.normal(size=(2, 4)), x, point, Threat())
    for share in np.linspace(0, 1, 9):
        assert Threat().box.contains(circle.at(share)[None]).all()


def test_arcs_of_many_samples_are_each_as_it_would_be_alone():
    x, point = RNG.random((2, 5, 2, 4), np.float32)
    direction, outer = RNG.normal(size=(5, 2, 4)), np.linspace(0, 0.6, 5)
    threat, shares = Threat(), np.linspace(0.1, 1, 5)
    together = Arc(x, point, sideways(point - x, direction, threat), threat, outer=outer).at(shares)
    for i in range(5):
        alone = arc(direction[i], x[i], point[i], threat, outer=outer[i])
        np.testing.assert_allclose(together[i], alone.at(shares[i]), atol=1e-7)
