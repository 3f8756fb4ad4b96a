"""Where attacks on labels may begin: valid rows, spread as they promise."""

import numpy as np

from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case
from algorithms.searches.labels import starts
from algorithms.threats.threat import Box, Threat

SHAPE = (2, 3)
X = np.full(SHAPE, 0.4, np.float32)


def box(lower: object, upper: object) -> Box:
    return Box(np.asarray(lower, np.float32), np.asarray(upper, np.float32))


def case(pool: np.ndarray | None = None) -> Case:
    return Case(X, label=0, target=None, scores=None, classes=3, stream=Stream(1, 0, "test"), pool=pool)


def test_noise_is_spread_over_the_box():
    drawn = np.stack(list(starts.noise(case(), Threat(box=box(-1, 3)), np.random.default_rng(0))))
    assert drawn.dtype == np.float32 and (drawn >= -1).all() and (drawn <= 3).all()
    assert drawn.min() < -0.5 and drawn.max() > 2.5


def test_noise_without_bounds_grows_around_the_sample():
    drawn = np.stack(list(starts.noise(case(), Threat(box=Box.unbounded()), np.random.default_rng(0))))
    away = np.abs(drawn - X).max(axis=(1, 2))
    assert away[0] < 0.1 and away[-1] > 100


def test_noise_respects_each_bound_there_is():
    here = box([[0, 0.4, -np.inf], [-np.inf, 0.2, 0]], [[1, 0.4, 0.5], [np.inf, np.inf, 1]])
    for row in starts.noise(case(), Threat(box=here), np.random.default_rng(0)):
        assert here.contains(row[None]).all()


def test_a_pool_comes_in_its_order_within_the_box_and_without_the_sample_itself():
    pool = np.stack([np.full(SHAPE, v, np.float32) for v in (0.9, 0.4, 7.0, 0.1)])
    np.testing.assert_array_equal([row[0, 0] for row in starts.pool(case(pool), Threat())], np.float32([0.9, 1, 0.1]))
    assert list(starts.pool(case(), Threat())) == []
