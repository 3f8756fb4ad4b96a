"""When a run is told that its time is up."""

import pytest

from workers.runner.allowance import Allowance


@pytest.mark.parametrize(
    ("beats", "spent"),
    [([0.0, 1.0, 98.0], True), ([0.0, 1.0, 2.0, 98.9], True), ([0.0, 30.0, 60.0], False), ([0.0, 30.0, 70.0], True)],
    ids=str,
)
def test_no_beat_is_begun_that_may_outlast_the_time_of_a_run(beats, spent):
    allowance = Allowance(ends=100.0)
    assert [allowance.is_spent(now) for now in beats] == [False] * (len(beats) - 1) + [spent]


@pytest.mark.parametrize("ends", [5.0, 4.0, -1.0])
def test_a_run_that_comes_too_late_asks_nothing(ends):
    assert Allowance(ends).is_spent(5.0)
