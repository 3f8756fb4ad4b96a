"""Every way a chunk can be told to end, seen by the watch, and acted upon. Time is told to it, but for its thread's."""

import threading

import pytest

from workers.supervisor import watch as watching
from workers.supervisor.watch import BEAT_SECONDS, CANCEL_SECONDS, Watch

HANGS_SECONDS = 60  # nothing here takes long


class Child:
    """Stands where a runner does; remembers what was done to it. (A real one: test_runner.py and tests/e2e.)"""

    def __init__(self):
        self.asked = 0
        self.kills = threading.Semaphore(0)
        self.killed = 0

    def ask_to_cancel(self):
        self.asked += 1

    def kill(self):
        self.killed += 1
        self.kills.release()


class Clock:
    """Seconds since the chunk began, moved on by hand."""

    now = 0.0

    def __call__(self):
        return self.now


def watched(beat, *, seconds, lease_seconds=15.0, silence=60.0, heard=None, draining=lambda: False, late=0.0):
    """What the looks of so many seconds led to, one a beat, until the child was killed."""
    child, clock = Child(), Clock()
    watch = Watch(beat, heard=heard or (lambda: 0.0), lease_seconds=lease_seconds, draining=draining, clock=clock)
    watch.guard(child, seconds=silence, excused=lambda: late)
    while not child.killed and clock.now < seconds:
        clock.now += BEAT_SECONDS
        watch.look()
    return watch.reason, child, clock.now


def test_a_chunk_that_is_wanted_goes_on():
    beats = []
    reason, child, _ = watched(lambda: beats.append(1) or "go", seconds=50)
    assert (reason, child.killed, child.asked) == (None, 0, 0)
    assert len(beats) == 50


def test_a_lost_lease_kills_at_once():
    reason, child, now = watched(lambda: "lost", seconds=50)
    assert (reason, child.killed, child.asked, now) == ("lost", 1, 0, BEAT_SECONDS)


def test_a_cancelled_chunk_is_asked_once_and_killed_when_it_does_not_answer():
    reason, child, now = watched(lambda: "cancel", seconds=50)
    assert (reason, child.killed, child.asked) == ("cancelled", 1, 1)
    assert CANCEL_SECONDS < now - BEAT_SECONDS <= CANCEL_SECONDS + BEAT_SECONDS


def test_a_cancelled_chunk_that_answers_in_time_is_not_killed():
    reason, child, _ = watched(lambda: "cancel", seconds=BEAT_SECONDS + CANCEL_SECONDS)
    assert (reason, child.killed, child.asked) == (None, 0, 1)


def test_a_runner_that_is_silent_for_too_long_is_killed():
    reason, child, now = watched(lambda: "go", silence=5.0, seconds=50)
    assert (reason, child.killed) == ("timeout", 1)
    assert 5.0 < now <= 5.0 + BEAT_SECONDS


def test_a_runner_that_keeps_talking_may_take_as_long_as_it_needs():
    said = iter(range(1000))
    reason, child, _ = watched(lambda: "go", silence=5.0, heard=lambda: float(next(said)), seconds=500)
    assert (reason, child.killed) == (None, 0)


def test_time_in_which_no_processor_was_free_is_no_silence():
    reason, child, now = watched(lambda: "go", silence=5.0, seconds=50, late=20.0)
    assert (reason, child.killed) == ("timeout", 1)
    assert 25.0 < now <= 25.0 + BEAT_SECONDS


def test_a_draining_worker_kills_its_chunk():
    reason, child, now = watched(lambda: "go", draining=lambda: True, seconds=50)
    assert (reason, child.killed, now) == ("drain", 1, BEAT_SECONDS)


def unreachable():
    raise ConnectionError


def test_a_store_out_of_reach_is_forgiven_while_the_lease_lasts():
    assert watched(unreachable, lease_seconds=15.0, seconds=15.0)[0] is None


def test_a_store_out_of_reach_for_longer_than_the_lease_is_a_lost_lease():
    reason, child, now = watched(unreachable, lease_seconds=15.0, seconds=50)
    assert (reason, child.killed) == ("lost", 1)
    assert 15.0 < now <= 15.0 + BEAT_SECONDS


def test_a_runner_that_comes_after_the_end_is_killed_when_it_comes():
    child = Child()
    watch = Watch(lambda: "lost", heard=lambda: 0.0, lease_seconds=15, draining=lambda: False)
    watch.look()
    assert watch.reason == "lost"
    watch.guard(child, seconds=60)
    assert child.killed == 1


def test_the_watch_looks_by_itself_until_its_block_ends(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(watching, "BEAT_SECONDS", 0.01)
    child, beats = Child(), threading.Semaphore(0)

    def beat():
        beats.release()
        return "go"

    with Watch(beat, heard=lambda: 0.0, lease_seconds=1e9, draining=lambda: False) as watch:
        watch.guard(child, seconds=1e9)
        assert all(beats.acquire(timeout=HANGS_SECONDS) for _ in range(3))
    assert (watch.reason, child.killed) == (None, 0)
    with Watch(lambda: "lost", heard=lambda: 0.0, lease_seconds=1e9, draining=lambda: False) as watch:
        watch.guard(child, seconds=1e9)
        assert child.kills.acquire(timeout=HANGS_SECONDS)
    assert watch.reason == "lost"
