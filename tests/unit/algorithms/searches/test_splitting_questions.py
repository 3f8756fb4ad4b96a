"""What is kept of one sample's searches: as much as memory has room for, the smallest radii first."""

import numpy as np
import pytest

from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case
from algorithms.seam.questions.decisions import Decide, Decision
from algorithms.searches.splitting.closing import Closing
from algorithms.searches.splitting.questions import MEMORY, Questions, TriedRadius
from algorithms.threats.threat import Threat


def questions() -> Questions:
    case = Case(np.full(2, 0.5, np.float32), 0, None, np.array([1.0, 0.0]), 2, Stream(0, 0, "branch_and_bound"))
    return Questions(case, Threat(), most=1000)


def go_on(of: Questions, at: TriedRadius, *, bound: float, held: int) -> None:
    """Answer one question about a radius, after ten more domains."""
    conversation = of.go_on(at, 10)
    asked = conversation.send(None)
    assert isinstance(asked, Decide) and asked.state is at.state
    try:
        conversation.send(Decision(bound, at.domains + 10, None, object(), held))
    except StopIteration:
        return
    raise AssertionError("ten domains were all that was asked for")


def test_searches_that_keep_too_much_are_forgotten_from_the_largest_radius_on() -> None:
    asked, tried = questions(), [TriedRadius(radius) for radius in (0.4, 0.3, 0.2, 0.1)]
    for at in tried:
        go_on(asked, at, bound=-1.0, held=MEMORY * 2 // 5)
    assert [at.state is None for at in tried] == [True, True, False, False]
    assert sum(at.held for at in tried) <= MEMORY


def test_a_forgotten_search_begins_anew_and_its_bound_stands() -> None:
    asked, far, near = questions(), TriedRadius(0.2), TriedRadius(0.1)
    go_on(asked, far, bound=-1.0, held=MEMORY)
    go_on(asked, near, bound=-2.0, held=MEMORY)
    assert (far.state, far.domains, far.bound) == (None, 0, -1.0)
    go_on(asked, far, bound=-3.0, held=1)
    assert (far.domains, far.bound, asked.spent) == (10, -1.0, 30)


def test_the_search_that_goes_on_is_kept_however_much_it_keeps() -> None:
    asked, at = questions(), TriedRadius(0.1)
    for domains in (10, 20):
        go_on(asked, at, bound=-1.0, held=2 * MEMORY)
        assert at.state is not None and at.domains == domains


def test_what_is_proven_is_let_go_of() -> None:
    asked, at = questions(), TriedRadius(0.1)
    go_on(asked, at, bound=0.1, held=100)
    assert at.is_proven and (at.state, at.held) == (None, 0)


def test_a_search_whose_next_round_takes_more_than_it_was_given_gets_more() -> None:
    closing, at = Closing(questions(), proven=0.0995), TriedRadius(0.1, state=object(), domains=63)
    closing.open, closing.questions.distance = [at], 0.2
    given = []
    for _ in range(3):
        chosen, domains = closing.next_radius()
        assert chosen is at
        given.append(domains)
        conversation = closing.questions.go_on(at, domains)
        conversation.send(None)
        with pytest.raises(StopIteration):
            conversation.send(Decision(-1.0, 63, None, at.state, 0))  # its next round takes more than that
    assert given == [64, 128, 256]
