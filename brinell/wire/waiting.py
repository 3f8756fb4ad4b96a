"""Waiting for what a server computes: one question after the other until it has ended, or the caller's time has."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from brinell.wire.deadline import Deadline
from brinell.wire.transport import Transport, retry_after

LONGEST_WAIT_SECONDS = 30  # one `Prefer: wait`
WATCHED_WAIT_SECONDS = 1  # the same while somebody looks at the progress: the server answers early only on a new state

ENDED = frozenset({"succeeded", "failed", "cancelled", "expired"})

Work = TypeVar("Work", bound=Mapping[str, Any])  # a job or an audit


def wait_until_ended(
    transport: Transport, path: str, deadline: Deadline, on_change: Callable[[Work], None] | None
) -> Work:
    """Returns a job or an audit once it has ended, in whatever state. `on_change` sees it about once a second until
    then. Raises TimedOut.
    """
    longest = WATCHED_WAIT_SECONDS if on_change else LONGEST_WAIT_SECONDS
    while True:
        asked = time.monotonic()
        response = transport.send("GET", path, wait_seconds=deadline.whole_seconds(longest))
        work: Work = transport.decode(response)
        if on_change:
            on_change(work)
        if work["state"] in ENDED:
            return work
        rest = retry_after(response, otherwise=1.0) - (time.monotonic() - asked)  # the server's wait counts
        deadline.pause(rest, f"{work['id']} did not end in time.")
