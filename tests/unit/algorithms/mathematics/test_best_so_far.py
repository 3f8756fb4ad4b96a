"""The few points that are kept, against all of them."""

import numpy as np
import pytest

from algorithms.mathematics.best_so_far import CHECKPOINTS, MOST, BestSoFar


def falling(seed, most):
    """Costs rising and values falling, as successes come: some at once, some far apart."""
    rng = np.random.default_rng(seed)
    costs = np.unique(np.geomspace(1, most, 300).astype(np.int64) + rng.integers(0, 3, 300)).tolist()
    return list(zip(costs, np.sort(rng.uniform(size=len(costs)))[::-1].tolist(), strict=True))


def kept(points):
    best = BestSoFar()
    for point in points:
        best.add(*point)
    return best


def best_at(cost, points):
    return min((value for spent, value in points if spent <= cost), default=None)


def test_checkpoints_are_round_numbers_that_summaries_tell_of():
    assert CHECKPOINTS[:13] == (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
    assert list(CHECKPOINTS) == sorted(set(CHECKPOINTS))


@pytest.mark.parametrize("most", [30, 10_000, 10**12])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_at_each_checkpoint_is_told_exactly_and_so_are_the_first_and_the_last(seed, most):
    points = falling(seed, most)
    told = kept(points).curve
    assert [best_at(n, told) for n in CHECKPOINTS] == [best_at(n, points) for n in CHECKPOINTS]
    assert (tuple(told[0]), tuple(told[-1])) == (points[0], points[-1])
    assert len(told) <= MOST == 32
    assert told == sorted(told) and [v for _, v in told] == sorted((v for _, v in told), reverse=True)


def test_no_more_points_than_promised_are_told_of_any_cost():
    assert MOST - 1 <= len(kept((2**n, -n) for n in range(60)).curve) <= MOST


@pytest.mark.parametrize("seed", range(5))
def test_who_goes_on_keeps_what_was_told_of_the_checkpoints_behind(seed):
    points = falling(seed, 10_000)
    short, whole = kept(points[:100]).curve, kept(points).curve
    behind = [n for n in CHECKPOINTS if n <= points[99][0]]
    assert [best_at(n, whole) for n in behind] == [best_at(n, short) for n in behind]


@pytest.mark.parametrize("left", [1, 40, 200])
def test_what_is_taken_back_was_never_told(left):
    points = falling(1, 10_000)
    best = kept(points)
    best.take_back_to(*points[left - 1])
    again = kept(points[:left])
    assert (best.curve, best.trace) == (again.curve, again.trace)


def test_nothing_is_told_of_nothing():
    assert BestSoFar().curve == BestSoFar().trace == []


def test_a_trace_has_the_last_point_of_each_stage_of_a_quarter():
    points = falling(2, 10_000)
    trace = [tuple(point) for point in kept(points).trace]
    assert trace[-1] == points[-1] and set(trace) < set(points)
    stages = [int(np.log(cost) / np.log(1.25)) for cost, _ in trace]
    assert len(stages) == len(set(stages)) <= 42
    assert stages == list(dict.fromkeys(int(np.log(cost) / np.log(1.25)) for cost, _ in points))
