"""Seconds of a curve's points, by a clock and a progress that are moved by hand."""

import numpy as np
import pytest

from algorithms.driver.progress import RunProgress
from algorithms.driver.trial import Trial
from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case
from algorithms.seam.cost import Cost
from tests.jobs_for_tests import finding
from workers.curve_seconds import CurveSeconds


class Hand:
    """A run of two samples: rows 4 and 2 of an upload."""

    def __init__(self):
        self.now = 100.0
        self.trials = [trial(4), trial(2)]
        self.seconds = CurveSeconds(lambda: self.now)

    def beat(self, now, *curve, index=0):
        """Let time go on to this beat; before it, a sample's curve is told anew."""
        if curve:
            self.trials[index].notes["curve"] = [list(point) for point in curve]
        self.now = 100.0 + now
        self.seconds.look(RunProgress(self.trials, Cost(1)))

    def told(self):
        return self.seconds.told(finding(trial.index, details=dict(trial.notes)) for trial in self.trials)


def trial(index):
    x = np.zeros(2, np.float32)
    case = Case(x=x, label=0, target=None, scores=None, classes=2, stream=Stream(0, index, "branch_and_bound"))
    return Trial(index, case, 0, Cost(10), 1)


@pytest.fixture
def hand():
    return Hand()


def test_a_new_point_is_stamped_with_the_beat_before_it_was_seen(hand):
    """Its answer had come by that beat; the next one has waited for the next question."""
    hand.beat(0.5)
    hand.beat(2.0, (1, -0.5))
    hand.beat(7.25, (1, -0.5), (3, 0.25))
    assert hand.told() == {4: [0.5, 2.0]}


def test_the_last_point_of_a_stage_that_moves_is_stamped_anew_and_those_before_it_are_not(hand):
    hand.beat(1.0, (1, 0.5), (10, 0.6))
    hand.beat(3.0)
    hand.beat(4.0, (1, 0.5), (11, 0.7))
    hand.beat(6.0, (1, 0.5), (11, 0.7), (20, 0.8))
    assert hand.told() == {4: [0.0, 3.0, 4.0]}


def test_what_no_beat_has_seen_follows_from_what_was_in_at_the_last(hand):
    hand.beat(1.0)
    hand.trials[1].notes["curve"] = [[1, None], [2, 0.5]]
    hand.now = 109.0
    assert hand.told() == {2: [1.0, 1.0]}


def test_samples_have_seconds_of_their_own_from_the_begin_of_the_run(hand):
    hand.beat(1.0, (1, 0.5))
    hand.beat(2.5, (1, 0.5), index=1)
    assert hand.told() == {4: [0.0], 2: [1.0]}


@pytest.mark.parametrize("other", ["a word", {"1": 0.5}, [[n, 0.5] for n in range(33)]], ids=["word", "map", "long"])
def test_what_is_no_curve_of_at_most_32_points_has_none(hand, other):
    hand.trials[0].notes["curve"] = other
    hand.beat(1.0)
    assert hand.told() == {}
