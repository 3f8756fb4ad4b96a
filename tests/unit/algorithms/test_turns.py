"""Halves that take turns: never two at the model, nothing lost, and a fault of one ends the other."""

import threading
import time

import pytest

from algorithms.turns import Turn, in_turns


def test_few_conversations_are_one_group_in_the_callers_own_thread() -> None:
    seen: list[tuple[list[int], int]] = []
    in_turns(lambda talks, _: seen.append((talks, threading.get_ident())), list(range(7)), fill=4)
    assert seen == [(list(range(7)), threading.get_ident())]


def test_many_are_two_groups_of_which_one_at_a_time_is_at_the_model() -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(talks: list[int], turn: Turn) -> None:
        for talk in talks:
            with turn:
                inside.append(talk)
                most.append(len(inside))
                time.sleep(0.001)
                inside.remove(talk)

    in_turns(work, list(range(9)), fill=4)
    assert most == [1] * 9


def test_a_fault_of_one_half_ends_the_other_at_its_next_turn() -> None:
    asked: list[int] = []

    def work(talks: list[int], turn: Turn) -> None:
        while True:
            with turn:
                asked.append(talks[0])
                if talks[0] == 1 and len(asked) > 3:
                    raise ValueError("of the second half")
            time.sleep(0.001)

    with pytest.raises(ValueError, match="of the second half"):
        in_turns(work, list(range(8)), fill=4)
