"""The open domains of a branch and bound: the order in which they come, and the bound of them all."""

import math

import pytest

from models.onnx.bounds.frontier import Frontier


def test_the_weakest_come_first_and_the_bound_is_theirs_or_that_of_a_closed_domain() -> None:
    frontier: Frontier[Bound] = Frontier(1)
    for value in (3.0, 1.0, 2.0):
        frontier.add(Bound(value))
    assert frontier.bound == 1.0
    assert [domain.bound for domain in frontier.take(2)] == [1.0, 2.0]
    frontier.close(2.5)
    assert frontier.bound == 2.5


@pytest.mark.parametrize("before", [-1.0, 2.0, math.inf])
def test_a_domain_of_no_bound_leaves_nothing_proven(before: float) -> None:
    frontier: Frontier[Bound] = Frontier(1)
    frontier.close(before)
    frontier.close(math.nan)
    frontier.close(3.0)
    assert frontier.bound == -math.inf


def test_a_search_that_never_ends_keeps_about_as_many_domains_as_there_is_room_for() -> None:
    most, count = 100, 8
    frontier: Frontier[Bound] = Frontier(1, memory=most)
    frontier.add(Bound(0.0))
    for _ in range(2000):
        for domain in frontier.take(count):
            for step in (1, 2):
                child = domain.bound + step / 64
                frontier.close(child) if child >= 1 else frontier.add(Bound(child))
        assert len(frontier) <= most + 64 * count


class Bound(float):
    """A number that is its own bound."""

    @property
    def bound(self) -> float:
        return float(self)


def test_what_is_held_is_what_open_domains_take() -> None:
    frontier: Frontier[Bound] = Frontier(50)
    frontier.add(Bound(1.0))
    frontier.add(Bound(2.0))
    assert frontier.held == 100
    frontier.take(1)
    assert frontier.held == 50
