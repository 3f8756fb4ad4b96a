"""Every way a chunk can be told to end, seen by the watch, and acted upon."""

import time

import pytest

from workers.supervisor import watch as watching
from workers.supervisor.watch import Watch


class Child:
    """Stands where a runner does; remembers what was done to it. (A real one: test_runner.py and tests/e2e.)"""

    def __init__(self):
        self.asked = self.killed = 0

    def ask_to_cancel(self):
        self.asked += 1

    def kill(self):
        self.killed += 1


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    monkeypatch.setattr(watching, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr(watching, "CANCEL_SECONDS", 0.1)


def watched(beat, *, seconds=0.25, lease_seconds=15.0, silence=60.0, heard=lambda: 0.0, draining=lambda: False):
    child = Child()
    with Watch(beat, heard=heard, lease_seconds=lease_seconds, draining=draining) as watch:
        watch.guard(child, seconds=silence)
        until = time.monotonic() + seconds
        while not child.killed and time.monotonic() < until:
            time.sleep(0.005)
    return watch.reason, child


def test_a_chunk_that_is_wanted_goes_on():
    beats = []
    reason, child = watched(lambda: beats.append(1) or "go")
    assert (reason, child.killed, child.asked) == (None, 0, 0)
    assert len(beats) > 3


def test_a_lost_lease_kills_at_once():
    reason, child = watched(lambda: "lost")
    assert (reason, child.killed, child.asked) == ("lost", 1, 0)


def test_a_cancelled_chunk_is_asked_once_and_killed_when_it_does_not_answer():
    reason, child = watched(lambda: "cancel", seconds=2)
    assert (reason, child.killed, child.asked) == ("cancelled", 1, 1)


def test_a_cancelled_chunk_that_answers_in_time_is_not_killed():
    reason, child = watched(lambda: "cancel", seconds=0.05)
    assert (reason, child.killed, child.asked) == (None, 0, 1)


def test_a_runner_that_is_silent_for_too_long_is_killed():
    reason, child = watched(lambda: "go", silence=0.05)
    assert (reason, child.killed) == ("timeout", 1)


def test_a_runner_that_keeps_talking_may_take_as_long_as_it_needs():
    reason, child = watched(lambda: "go", silence=0.1, heard=time.monotonic, seconds=0.5)
    assert (reason, child.killed) == (None, 0)


def test_a_draining_worker_kills_its_chunk():
    reason, child = watched(lambda: "go", draining=lambda: True)
    assert (reason, child.killed) == ("drain", 1)


def unreachable():
    raise ConnectionError


def test_a_store_out_of_reach_is_forgiven_while_the_lease_lasts():
    assert watched(unreachable, lease_seconds=15)[0] is None


def test_a_store_out_of_reach_for_longer_than_the_lease_is_a_lost_lease():
    reason, child = watched(unreachable, lease_seconds=0.05)
    assert (reason, child.killed) == ("lost", 1)


def test_a_runner_that_comes_after_the_end_is_killed_when_it_comes():
    child = Child()
    with Watch(lambda: "lost", heard=time.monotonic, lease_seconds=15, draining=lambda: False) as watch:
        while watch.reason is None:
            time.sleep(0.005)
        watch.guard(child, seconds=60)
    assert child.killed >= 1
