"""The constants that are tried: ten times as much until one succeeds, then halving, sample by sample."""

import numpy as np

from algorithms.searches.penalties.constant_search import MOST, ConstantSearch

EVERYONE = np.arange(3)


def test_constants_grow_until_they_succeed_and_are_halved_between_failure_and_success_then():
    search = ConstantSearch(3, 0.5)
    search.learn(EVERYONE, np.array([True, False, False]))
    assert search.constant.tolist() == [0.25, 5.0, 5.0]
    search.learn(EVERYONE, np.array([False, True, False]))
    assert search.constant.tolist() == [0.375, 2.75, 50.0]
    search.repeat_the_best(EVERYONE)
    assert search.constant.tolist() == [0.5, 5.0, 50.0]


def test_those_who_have_left_keep_their_constants():
    search = ConstantSearch(3, 1.0)
    search.learn(np.array([2]), np.array([False]))
    assert search.constant.tolist() == [1.0, 1.0, 10.0]


def test_no_constant_grows_beyond_all_bounds():
    search = ConstantSearch(1, MOST / 2)
    for _ in range(3):
        search.learn(np.array([0]), np.array([False]))
    assert search.constant.tolist() == [MOST]
