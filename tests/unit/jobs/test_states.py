"""The table of moves, exhaustively."""

from itertools import product

import pytest

from jobs.states import MOVES, TERMINAL, JobState, moves_as_lua

Q, R, S, F, C, E = JobState
LEGAL = {(Q, R), (Q, C), (Q, E), (R, S), (R, F), (R, C)}


@pytest.mark.parametrize(("now", "then"), list(product(JobState, JobState)))
def test_a_move_is_legal_where_the_contract_says_so(now: JobState, then: JobState) -> None:
    assert (then in MOVES[now]) == ((now, then) in LEGAL)


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(MOVES) == set(JobState)
    assert {then for following in MOVES.values() for then in following} == set(JobState) - {Q}


def test_terminal_states_are_those_without_a_way_out() -> None:
    assert {S, F, C, E} == TERMINAL


def test_the_scripts_get_the_same_table() -> None:
    assert moves_as_lua() == (
        "local MOVES = {queued={cancelled=true,expired=true,running=true},"
        "running={cancelled=true,failed=true,succeeded=true},succeeded={},failed={},cancelled={},expired={}}\n"
    )
