"""`Prefer: wait=N` (RFC 7240): hold an answer back until something has happened, without holding a thread."""

import re
import time
from collections.abc import Callable
from typing import Annotated, TypeVar

import anyio
from fastapi import Header
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

LONGEST_SECONDS = 60
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.5

Seen = TypeVar("Seen")

Prefer = Annotated[
    str | None,
    Header(description=f"`wait=N`: hold the answer back for at most N seconds (N up to {LONGEST_SECONDS})."),
]


def seconds_of(prefer: str | None) -> int:
    """Reads how long a wait is preferred, 0 where none is.

    Preferences that are not known are ignored, as the RFC asks.
    """
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", prefer or "", re.IGNORECASE)
    return min(int(match[1]), LONGEST_SECONDS) if match else 0


def applied(seconds: int) -> dict[str, str]:
    """Makes the header that tells which wait was honored."""
    return {"Preference-Applied": f"wait={seconds}"} if seconds else {}


async def wait_until(
    look: Callable[[], Seen], is_settled: Callable[[Seen], bool], *, seconds: float, request: Request
) -> Seen:
    """Returns the first settled sight, or the last one when the time is up. `look` may block: it runs in a thread.

    Raises ClientDisconnect as soon as nobody waits for the answer any more.
    """
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    seen = await run_in_threadpool(look)
    while not is_settled(seen) and time.monotonic() + pause < deadline:
        await anyio.sleep(pause)
        if await request.is_disconnected():
            raise ClientDisconnect
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        seen = await run_in_threadpool(look)
    return seen
