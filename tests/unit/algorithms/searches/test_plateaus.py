"""Plateaus: seen in answers that are equal to the last bit, and looked across by wider steps."""

import numpy as np

from algorithms.searches.scores.plateaus import Plateaus, flat_shares

ALL = np.arange(3)


def plateaus(first=1e-3, widest=0.1):
    return Plateaus(np.full(3, first), np.full(3, widest))


def shares(*of_each):
    return np.array(of_each)


def test_a_step_is_widened_where_most_differences_are_zero_and_nowhere_else():
    seen = plateaus()
    assert seen.see(ALL, shares(0.0, 0.5, 0.6)).tolist() == [2]
    assert seen.step.tolist() == [1e-3, 1e-3, 4e-3]
    assert [seen.of(i) for i in range(3)] == [{}, {}, {"warnings": ["plateau"]}]


def test_a_plateau_is_new_once():
    seen = plateaus()
    assert seen.see(ALL[1:], shares(1.0, 1.0)).tolist() == [1, 2]
    assert seen.see(ALL, shares(1.0, 1.0, 0.0)).tolist() == [0]


def test_few_differences_are_taken_together_before_they_tell_of_a_plateau():
    seen = plateaus()
    for turn in range(20):
        assert seen.see(ALL[:2], shares(1.0, float(turn % 2)), 1).tolist() == ([0] if turn == 19 else [])
    assert seen.step.tolist() == [4e-3, 1e-3, 1e-3]


def test_differences_that_are_not_known_are_no_plateau():
    nan = np.nan
    flat = flat_shares(np.array([[nan, 0.0, 0.1, 0.2], [nan, nan, nan, 0.0], [nan, nan, nan, nan]]))
    assert [f.tolist() for f in flat] == [[1 / 3, 1.0, 0.0], [3, 1, 0]]
    seen = plateaus()
    for turn in range(20):
        assert seen.see(ALL, *flat).tolist() == ([1] if turn == 19 else [])
    assert not seen.are_blind[2]


def test_a_search_is_blind_once_its_widest_step_sees_nothing_and_not_before():
    seen = plateaus()
    for _ in range(4):
        assert not seen.are_blind.any()
        seen.see(ALL[:1], shares(1.0))
    assert seen.step[0] == 0.1 and not seen.are_blind.any()
    seen.see(ALL[:1], shares(1.0))
    assert seen.are_blind.tolist() == [True, False, False]
    seen.see(ALL[:1], shares(0.9))
    assert not seen.are_blind.any()


def test_a_widest_step_below_the_first_leaves_the_first():
    seen = plateaus(first=0.2, widest=0.1)
    seen.see(ALL, shares(1.0, 1.0, 1.0))
    assert seen.step.tolist() == [0.2] * 3 and seen.are_blind.all()
