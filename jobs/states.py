"""The states of a job and the only moves between them. The store makes a move by compare-and-set or not at all."""

from enum import StrEnum


class JobState(StrEnum):
    """A job or an audit is in one of these states."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.EXPIRED}),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
    JobState.EXPIRED: frozenset(),
}

TERMINAL = frozenset(state for state, following in MOVES.items() if not following)


def moves_as_lua() -> str:
    """Writes the table of moves as Lua, which the scripts of the store carry, so that the moves have one home."""
    rows = (f"{now}={{{','.join(f'{then}=true' for then in sorted(MOVES[now]))}}}" for now in MOVES)
    return f"local MOVES = {{{','.join(rows)}}}\n"
