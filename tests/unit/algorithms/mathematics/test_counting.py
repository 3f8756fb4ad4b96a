"""Balls of a count against brute force over all sets of features, or of pixels."""

from itertools import combinations

import numpy as np
import pytest

from algorithms.mathematics import counting
from algorithms.mathematics.geometry import by_pixel
from algorithms.mathematics.windows import Canvas

RNG = np.random.default_rng(3)
SHAPE = (2, 1, 3)
X = RNG.uniform(0.1, 0.9, (4, 6)).astype(np.float32)
ROWS = RNG.uniform(-0.6, 1.6, (4, 6)).astype(np.float32)
LOW, HIGH = np.zeros((1, 6), np.float32), RNG.uniform(0.95, 1.5, (1, 6)).astype(np.float32)
PIXELS = np.array([[0, 1, 2, 0, 1, 2]])  # three of two channels, channels first
pixels = pytest.mark.parametrize("pixels", [None, PIXELS], ids=["features", "pixels"])


def sets(pixels, size):
    """Masks (., 6) of all choices of so many features, or pixels, at most."""
    numbers = np.arange(6) if pixels is None else pixels.ravel()
    for k in range(size + 1):
        for chosen in combinations(range(numbers.max() + 1), k):
            yield np.isin(numbers, chosen)


@pixels
@pytest.mark.parametrize("count", [0.0, 1.0, 2.9, 99.0])
def test_the_projection_is_the_nearest_of_all_points_with_so_few_changes(pixels, count):
    found = counting.project(ROWS, X, np.full(4, count), LOW, HIGH, pixels)
    assert found.dtype == np.float32 and ((LOW <= found) & (found <= HIGH)).all()
    for row, x, point in zip(ROWS, X, found, strict=True):
        inside = np.clip(row, LOW[0], HIGH[0])
        nearest = min(np.linalg.norm(np.where(kept, inside, x) - row) for kept in sets(pixels, min(6, int(count))))
        assert np.linalg.norm(point - row) == pytest.approx(nearest, abs=1e-6)


@pixels
def test_the_fewest_changes_are_those_of_brute_force_and_the_crossing_has_them(pixels):
    slopes, missing = RNG.normal(size=(4, 6)), np.array([0.3, 1.0, 2.0, 99.0])
    fewest = counting.fewest(slopes, missing, X, LOW, HIGH, pixels)
    for slope, x, need, told in zip(slopes, X, missing, fewest, strict=True):
        best = np.where(slope > 0, HIGH[0], LOW[0])
        enough = [
            size
            for size in range(1, 7)
            if any((slope * np.where(kept, best - x, 0)).sum() > need for kept in sets(pixels, size))
        ]
        assert told == (enough[0] if enough else np.inf)
    points = counting.crossing(slopes, missing, fewest, X, LOW, HIGH, pixels)
    grown = (slopes * (points.astype(np.float64) - X)).sum(axis=1)
    assert (grown[:3] > missing[:3]).all() and ((LOW <= points) & (points <= HIGH)).all()


def test_where_a_feature_has_no_end_one_is_enough_and_is_moved_a_little_behind_the_boundary():
    slopes, missing = np.array([[0.5, 2.0, 0.0]]), np.array([3.0])
    x, ends = np.zeros((1, 3), np.float32), np.full((1, 3), np.inf, np.float32)
    assert counting.fewest(slopes, missing, x, -ends, ends, None) == [1.0]
    point = counting.crossing(slopes, missing, np.ones(1), x, -ends, ends, None)
    assert np.count_nonzero(point) == 1
    assert missing[0] < (slopes * point).sum() <= 1.03 * missing[0]


def test_slopes_that_lead_nowhere_are_crossed_by_no_change():
    x = np.zeros((1, 3), np.float32)
    assert counting.fewest(np.zeros((1, 3)), np.ones(1), x, x, x + 1, None) == [np.inf]


def test_of_equal_values_the_first_are_the_largest_and_none_that_is_0():
    values = np.array([[1.0, 3.0, 1.0, 1.0], [0.0, 0.0, 2.0, 0.0]])
    marked = counting.largest(values, np.array([3.0, 3.0]))
    np.testing.assert_array_equal(marked, [[True, True, True, False], [False, False, True, False]])


@pytest.mark.parametrize(
    ("shape", "same"),
    [((3, 5, 6), np.s_[:, 2, 3]), ((5, 6, 3), np.s_[2, 3, :]), ((5, 6), np.s_[2, 3]), ((7,), np.s_[4])],
    ids=["channels first", "channels last", "gray", "vector"],
)
def test_the_channels_of_a_pixel_have_one_number_and_all_others_another(shape, same):
    numbers = Canvas.of(shape).pixels
    assert numbers.shape == shape
    (own,) = set(np.ravel(numbers[same]).tolist())
    assert (numbers == own).sum() == np.size(numbers[same])
    assert set(numbers.ravel().tolist()) == set(range(numbers.max() + 1))


@pixels
@pytest.mark.parametrize("count", [1, 2, 3])
def test_points_drawn_change_as_many_as_are_asked_for_to_valid_values_of_all_sorts(pixels, count):
    rng, x = np.random.default_rng(0), X[:1].copy()
    x[0, 0], x[0, 1] = LOW[0, 0], HIGH[0, 1]
    rows = counting.draw(rng, 2000, x, count, LOW, HIGH, pixels)
    assert rows.dtype == np.float32 and ((LOW <= rows) & (rows <= HIGH)).all()
    changed = rows != x
    assert (by_pixel(changed, pixels).any(axis=2).sum(axis=1) == count).all()
    assert np.ptp(changed.mean(axis=0)) < 0.07  # all are chosen alike: three standard deviations
    inner = rows[:, 2][changed[:, 2]]
    assert 0.15 < np.mean(inner == LOW[0, 2]) < 0.35 and 0.15 < np.mean(inner == HIGH[0, 2]) < 0.35
    at_end = rows[:, 0][changed[:, 0]]
    assert 0.4 < np.mean(at_end == HIGH[0, 0]) < 0.6  # the other end, for it is at one already


def test_a_value_that_has_no_end_is_drawn_as_far_as_a_hundred_times_its_size():
    ends = np.full((1, 6), np.inf, np.float32)
    x = np.float32([[0.0, 0.5, -1.0, 2.0, -30.0, 400.0]])
    away = np.abs(counting.draw(np.random.default_rng(0), 500, x, 6, -ends, ends, None) - x).max(axis=0)
    np.testing.assert_allclose(away, [100.0, 100.0, 100.0, 200.0, 3000.0, 40000.0], rtol=1e-3)


@pixels
def test_fewer_changes_are_those_that_come_last_in_order(pixels):
    order = np.broadcast_to(np.arange(1.0, 7.0), (4, 6))
    moved = counting.fewer(ROWS, X, np.full(4, 1.0), order, pixels) != X
    assert (moved == np.isin(np.arange(6), [5] if pixels is None else [2, 5])).all()
    assert (counting.fewer(ROWS, X, np.full(4, 6.0), order, pixels) == ROWS).all()
    assert (counting.fewer(ROWS, X, np.zeros(4), order, pixels) == X).all()
