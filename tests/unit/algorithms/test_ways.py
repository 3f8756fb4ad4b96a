"""Starts and ways: in the box, from the sample to the far end and no farther."""

import numpy as np
import pytest

from algorithms.mathematics.geometry import distance
from algorithms.mathematics.norms import Norm
from algorithms.seam.case import Case
from algorithms.seam.streams import Stream
from algorithms.seam.threat import Box, Threat
from algorithms.searches import starts
from algorithms.searches.line import Way

SHAPE = (2, 3)
X = np.full(SHAPE, 0.4, np.float32)
FAR = np.linspace(0, 1, 6, dtype=np.float32).reshape(SHAPE)
norms = pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])


def box(lower: object, upper: object) -> Box:
    return Box(np.asarray(lower, np.float32), np.asarray(upper, np.float32))


def case(pool: np.ndarray | None = None) -> Case:
    return Case(X, label=0, target=None, scores=None, classes=3, stream=Stream(1, 0, "test"), pool=pool)


@norms
def test_a_way_leads_from_the_sample_to_its_far_end(norm):
    way = Way.between(X, FAR, Threat(norm=norm))
    np.testing.assert_array_equal(way.at(0.0), X)
    np.testing.assert_array_equal(way.at(1.0), FAR)
    away = [distance(way.at(share), X, norm) for share in np.linspace(0, 1, 9)]
    np.testing.assert_allclose(away, np.linspace(0, 1, 9) * way.length, rtol=1e-5, atol=1e-7)


@norms
def test_a_way_is_left_at_the_radius_that_is_asked_for(norm):
    way = Way.between(X, FAR, Threat(norm=norm))
    assert distance(way.within(0.2), X, norm) == pytest.approx(0.2, rel=1e-5)
    np.testing.assert_array_equal(way.within(np.inf), FAR)
    np.testing.assert_array_equal(Way.between(X, X, Threat(norm=norm)).within(0.0), X)


def test_noise_is_spread_over_the_box():
    drawn = np.stack(list(starts.noise(case(), box(-1, 3), np.random.default_rng(0))))
    assert drawn.dtype == np.float32 and (drawn >= -1).all() and (drawn <= 3).all()
    assert drawn.min() < -0.5 and drawn.max() > 2.5


def test_noise_without_bounds_grows_around_the_sample():
    drawn = np.stack(list(starts.noise(case(), Box.unbounded(), np.random.default_rng(0))))
    away = np.abs(drawn - X).max(axis=(1, 2))
    assert away[0] < 0.1 and away[-1] > 100


def test_noise_respects_each_bound_there_is():
    here = box([[0, 0.4, -np.inf], [-np.inf, 0.2, 0]], [[1, 0.4, 0.5], [np.inf, np.inf, 1]])
    for row in starts.noise(case(), here, np.random.default_rng(0)):
        assert here.contains(row[None]).all()


def test_a_pool_comes_in_its_order_within_the_box_and_without_the_sample_itself():
    pool = np.stack([np.full(SHAPE, v, np.float32) for v in (0.9, 0.4, 7.0, 0.1)])
    np.testing.assert_array_equal([row[0, 0] for row in starts.pool(case(pool), box(0, 1))], np.float32([0.9, 1, 0.1]))
    assert list(starts.pool(case(), box(0, 1))) == []
