"""Least points of linear functions against another road to the same minimum."""

import numpy as np
import pytest

from algorithms.mathematics.linear_minimum import least
from algorithms.mathematics.norms import NORMS
from algorithms.threats.threat import Box
from tests.balls import least_change

BOXES = [
    Box(np.zeros(()), np.ones(())),
    Box(np.float64(-np.inf), np.float64(np.inf)),
    Box(np.zeros(()), np.float64(np.inf)),
]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("box", BOXES, ids=["box", "unbounded", "half"])
@pytest.mark.parametrize("radius", [0.01, 0.4, 3.0])
def test_the_change_is_valid_and_as_low_as_it_can_be(norm, box, radius):
    rng = np.random.default_rng(0)
    x, slopes = rng.uniform(0, 1, (20, 7)), rng.normal(size=(20, 7))
    x[:5, 0], x[5:10, 0], slopes[3:8, 1] = 0, 1, 0
    change = least(slopes, x, np.full(20, radius), norm, box.lower, box.upper)
    assert (np.linalg.norm(change, norm.p, axis=1) <= radius * (1 + 1e-12)).all()
    assert (x + change >= box.lower).all() and (x + change <= box.upper).all()
    for w, row, moved in zip(slopes, x, change, strict=True):
        assert w @ moved == pytest.approx(least_change(w, row, radius, norm, box), rel=1e-9)


@pytest.mark.parametrize("norm", NORMS)
def test_without_a_slope_nothing_moves(norm):
    assert not least(np.zeros((2, 3)), np.full((2, 3), 0.5), np.ones(2), norm, np.zeros(()), np.ones(())).any()
