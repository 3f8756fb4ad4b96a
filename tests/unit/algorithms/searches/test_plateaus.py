"""Plateaus: seen in answers that are equal to the last bit, and looked across by wider steps."""

import numpy as np

from algorithms.searches.scores.plateaus import Plateaus, are_equal

ALL = np.arange(3)


def plateaus(first=1e-3, widest=0.1):
    return Plateaus(np.full(3, first), np.full(3, widest))


def test_answers_are_equal_where_every_score_is():
    a = np.array([[0.5, 0.5], [0.4, 0.6]], np.float32)
    b = np.array([[0.5, 0.5], [0.4, np.nextafter(np.float32(0.6), np.float32(1))]], np.float32)
    assert are_equal(a, b).tolist() == [True, False]


def test_a_step_is_widened_where_most_differences_are_zero_and_nowhere_else():
    seen = plateaus()
    assert seen.see(ALL, np.array([0.0, 0.5, 0.6])).tolist() == [2]
    assert seen.step.tolist() == [1e-3, 1e-3, 4e-3]
    assert [seen.of(i) for i in range(3)] == [{}, {}, {"warnings": ["plateau"]}]


def test_a_plateau_is_new_once():
    seen = plateaus()
    assert seen.see(ALL[1:], np.array([1.0, 1.0])).tolist() == [1, 2]
    assert seen.see(ALL, np.array([1.0, 1.0, 0.0])).tolist() == [0]


def test_a_search_is_blind_once_its_widest_step_sees_nothing_and_not_before():
    seen = plateaus()
    for _ in range(4):
        assert not seen.are_blind.any()
        seen.see(ALL[:1], np.ones(1))
    assert seen.step[0] == 0.1 and not seen.are_blind.any()
    seen.see(ALL[:1], np.ones(1))
    assert seen.are_blind.tolist() == [True, False, False]
    seen.see(ALL[:1], np.full(1, 0.9))
    assert not seen.are_blind.any()


def test_a_widest_step_below_the_first_leaves_the_first():
    seen = plateaus(first=0.2, widest=0.1)
    seen.see(ALL, np.ones(3))
    assert seen.step.tolist() == [0.2] * 3 and seen.are_blind.all()
