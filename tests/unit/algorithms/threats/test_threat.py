"""A threat's geometry against definitions; and what of it there is where changes are counted instead of measured."""

from typing import Any

import numpy as np
import pytest
import torch

from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.threats.threat import Box, Threat

UNIT = Threat().box
RNG = np.random.default_rng(2)
X = RNG.uniform(0, 1, (5, 2, 3)).astype(np.float32)
ROWS = RNG.uniform(-0.5, 1.5, (5, 2, 3)).astype(np.float32)
UNEVEN = Box(RNG.uniform(-0.3, 0, (2, 3)).astype(np.float32), RNG.uniform(1, 1.3, (2, 3)).astype(np.float32))
norms = pytest.mark.parametrize("norm", NORMS)
boxes = pytest.mark.parametrize("box", [UNIT, UNEVEN, Box.unbounded()], ids=["unit", "uneven", "open"])


@norms
def test_sizes_are_numpys_norms(norm):
    threat = Threat(norm=norm)
    sizes = [np.linalg.norm(row.astype(np.float64).ravel(), norm.p) for row in ROWS]
    np.testing.assert_allclose(threat.lengths(ROWS), sizes, rtol=1e-12)
    assert threat.distance(ROWS[0], X[0]) == pytest.approx(
        np.linalg.norm((ROWS[0].astype(np.float64) - X[0]).ravel(), norm.p), rel=1e-12
    )


@boxes
def test_clipped_rows_are_valid_and_valid_rows_stay_as_they_are(box):
    threat = Threat(box=box)
    clipped = threat.clip(ROWS.astype(np.float64), X)
    assert clipped.dtype == np.float32 and box.contains(clipped).all()
    np.testing.assert_array_equal(threat.clip(clipped, X), clipped)
    inside = box.contains(ROWS)
    np.testing.assert_array_equal(clipped[inside], ROWS[inside])
    here = ROWS.copy()
    assert threat.clip(here, X, out=here) is here
    np.testing.assert_array_equal(here, clipped)


def test_a_point_is_allowed_where_it_is_finite_and_in_the_box():
    threat = Threat(box=Box(np.zeros((2, 3), np.float32), np.full((2, 3), np.inf, np.float32)))
    assert threat.allows(X[0], X[1])
    for wrong in (-1e-6, np.nan, np.inf):
        point = X[0].copy()
        point[1, 2] = wrong
        assert not threat.allows(point, X[1])


@norms
def test_no_valid_input_is_farther_than_the_farthest(norm):
    threat = Threat(norm=norm, box=UNEVEN)
    corners = np.where(RNG.random((4000, 2, 3)) < 0.5, UNEVEN.lower, UNEVEN.upper)
    for x, farthest in zip(X, threat.farthest(X), strict=True):
        met = max(threat.distance(corner, x) for corner in corners)
        assert met == pytest.approx(farthest, rel=1e-6)  # 64 corners: all of them are met
    assert np.isinf(Threat(norm=norm, box=Box.unbounded()).farthest(X)).all()


def test_a_box_knows_whether_and_how_far_it_is_bounded():
    half = Box(np.float32([0, -np.inf]), np.float32([1, 3]))
    assert [box.is_bounded for box in (UNIT, half, Box.unbounded())] == [True, False, False]
    assert [box.is_unbounded for box in (UNIT, half, Box.unbounded())] == [False, False, True]
    np.testing.assert_array_equal(half.sides, [1, np.inf])
    assert half.sides.dtype == np.float64 and UNIT.sides == 1.0


def test_a_hull_is_what_the_cube_leaves_of_the_box():
    lower, upper = Threat(norm=Norm.LINF, box=UNEVEN).hull(X, np.float32(0.2))
    np.testing.assert_array_equal(lower, np.maximum(X - np.float32(0.2), UNEVEN.lower))
    np.testing.assert_array_equal(upper, np.minimum(X + np.float32(0.2), UNEVEN.upper))


def test_a_ball_is_cut_where_it_reaches_beyond_the_box():
    x = np.array([0.5, 0.25], np.float32)
    assert not Threat().is_cut(x, 0.25)
    assert Threat().is_cut(x, 0.26)
    assert not Threat(box=Box.unbounded()).is_cut(x, 1e9)


@norms
def test_random_changes_have_the_size_that_was_asked_for(norm):
    threat, shape = Threat(norm=norm), (2, 3)
    inside = threat.draw_in_ball(np.random.default_rng(0), 200, shape, radius=0.7, law="radial")
    assert inside.shape == (200, *shape) and (threat.lengths(inside) <= 0.7 * (1 + 1e-6)).all()
    assert threat.lengths(inside).min() < 0.1
    on = threat.draw_on_sphere(np.random.default_rng(0), 200, shape, radius=0.7)
    np.testing.assert_allclose(threat.lengths(on), 0.7, rtol=1e-12)


@pytest.mark.parametrize(("norm", "p"), [(Norm.L2, 2), (Norm.LINF, np.inf)])
def test_no_step_of_the_same_size_leads_more_steeply_uphill(norm, p):
    threat = Threat(norm=norm)
    gradients = np.random.default_rng(1).normal(size=(4, 6))
    steps = threat.ascent_direction(gradients)
    np.testing.assert_allclose(threat.lengths(steps), 1.0, rtol=1e-12)
    np.testing.assert_allclose((steps * gradients).sum(axis=1), threat.dual_lengths(gradients), rtol=1e-12)
    assert not threat.ascent_direction(np.zeros((1, 6))).any()


def test_an_arranged_threat_is_the_same_for_samples_laid_out_otherwise():
    threat = Threat(box=UNEVEN)
    flat = threat.arranged(lambda side: side.reshape(1, -1))
    rows, x = ROWS.reshape(5, -1), X.reshape(5, -1)
    np.testing.assert_array_equal(flat.clip(rows, x), threat.clip(ROWS, X).reshape(5, -1))
    np.testing.assert_array_equal(flat.farthest(x), threat.farthest(X))
    tensors = threat.arranged(lambda side: torch.from_numpy(side).reshape(1, -1))
    there = tensors.clip(torch.from_numpy(rows), torch.from_numpy(x))
    np.testing.assert_array_equal(there.numpy(), flat.clip(rows, x))
    np.testing.assert_array_equal(tensors.farthest(torch.from_numpy(x)).numpy(), flat.farthest(x))


# A count has no dual: mypy refuses what needs one (tests/typed/counting.py). The rest works by its type.

COUNTING: Any = Threat[Counting](norm=Counting.L0, box=UNEVEN, epsilon=2.0)


def test_a_counting_threat_counts_the_features_that_changed():
    changed = X.copy()
    changed[0, 0, 0] += 0.1
    changed[1] += 0.1
    np.testing.assert_array_equal(COUNTING.lengths(changed - X), [1, 6, 0, 0, 0])
    assert [COUNTING.distance(y, x) for y, x in zip(changed, X, strict=True)] == [1.0, 6.0, 0.0, 0.0, 0.0]


def test_a_counting_threats_farthest_input_changes_every_feature_that_can_change():
    box = Box(np.where(np.arange(6).reshape(2, 3) < 4, X[0], 0), np.where(np.arange(6).reshape(2, 3) < 4, X[0], 1))
    assert Threat[Counting](norm=Counting.L0, box=box).farthest(X[:1]) == [2.0]
    np.testing.assert_array_equal(COUNTING.farthest(X), np.full(5, 6.0))


def test_a_counting_threat_clips_and_lays_out_like_any_other():
    np.testing.assert_array_equal(COUNTING.clip(ROWS, X), Threat(box=UNEVEN).clip(ROWS, X))
    flat = COUNTING.arranged(lambda side: side.reshape(1, -1))
    assert flat.norm is Counting.L0 and flat.epsilon == 2.0
    np.testing.assert_array_equal(flat.lengths(X.reshape(5, -1)), COUNTING.lengths(X))


def test_in_a_ball_of_a_count_each_feature_may_take_any_valid_value_if_one_may_change():
    lower, upper = COUNTING.hull(X, 1.0)
    assert (lower == UNEVEN.lower).all() and (upper == UNEVEN.upper).all()
    np.testing.assert_array_equal(COUNTING.hull(X, 0.5), (X, X))
    assert COUNTING.is_cut(X[0], 1.0) and not COUNTING.is_cut(X[0], 0.5)
    assert not Threat[Counting](norm=Counting.L0, box=Box.unbounded()).is_cut(X[0], 6.0)
