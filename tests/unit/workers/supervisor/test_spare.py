"""Who gets which runner: one a tenant, set aside between its turns, and never another tenant's."""

import pytest

from workers.supervisor.spare import Runners

A, B, C = ("a", "m"), ("b", "m"), ("c", "m")


class Process:
    """Stands where a runner's process does."""

    def __init__(self):
        self.is_alive, self.is_stopped, self.is_closed = True, False, False

    def set_aside(self):
        self.is_stopped = True

    def take_up(self):
        self.is_stopped = False

    def close(self):
        assert not self.is_closed
        self.is_alive, self.is_closed = False, True


@pytest.fixture
def started():
    return []


@pytest.fixture
def runners(started):
    def start():
        started.append(Process())
        return started[-1]

    made = Runners(start, tenants=2)
    yield made
    made.close()
    assert all(process.is_closed for process in started)


def turn(runners, key):
    process = runners.holding(key)
    assert not process.is_stopped
    runners.rest()
    return process


def test_tenants_that_take_turns_keep_their_runners_and_each_works_in_its_turn_alone(runners, started):
    first, second = turn(runners, A), turn(runners, B)
    assert first is not second and first.is_stopped and second.is_stopped
    for key, at_work, aside in [(A, first, second), (B, second, first)] * 3:
        assert runners.holding(key) is at_work
        assert aside.is_stopped and not at_work.is_stopped and not aside.is_closed
        runners.rest()
        assert at_work.is_stopped
    assert len(started) == 3  # with the spare


def test_a_tenant_has_one_runner_whatever_models_it_asks_about(runners, started):
    first = turn(runners, A)
    second = turn(runners, ("a", "other"))
    assert first.is_closed and second is not first and turn(runners, ("a", "other")) is second
    assert [process.is_closed for process in started] == [True, False, False]


def test_of_more_tenants_than_may_have_one_the_longest_without_a_turn_loses_its_runner(runners):
    a, b, c = turn(runners, A), turn(runners, B), turn(runners, C)
    assert (a.is_closed, b.is_closed, c.is_closed) == (True, False, False)
    assert turn(runners, B) is b and turn(runners, A) is not a
    assert c.is_closed


def test_what_cannot_be_trusted_any_more_is_ended_and_no_other(runners):
    a, b = turn(runners, A), runners.holding(B)
    runners.discard()
    assert (a.is_closed, b.is_closed) == (False, True)
    runners.discard()  # of work that came to no runner
    runners.rest()
    assert turn(runners, A) is a
    assert turn(runners, B) is not b


def test_a_runner_that_died_aside_is_replaced(runners):
    a = turn(runners, A)
    turn(runners, B)
    a.is_alive = False
    assert turn(runners, A) is not a and a.is_closed


def test_a_spare_that_died_is_replaced(runners, started):
    started[0].is_alive = False
    assert turn(runners, A) is started[1] and started[0].is_closed


def test_where_one_tenant_may_have_one_another_tenants_turn_ends_it():
    runners = Runners(Process, tenants=1)
    first, second = turn(runners, A), turn(runners, B)
    assert (first.is_closed, second.is_closed) == (True, False)
    runners.close()
