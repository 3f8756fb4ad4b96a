"""When the next call may go out. The bucket that deals out turns is shared by all jobs on an origin, so it lives
elsewhere; here turns are taken from it in small handfuls and counted as they are used.
"""

import asyncio
from collections.abc import Callable
from time import monotonic

ReserveTurns = Callable[[int, float], float]
"""(calls, hold) -> seconds until these calls may go out. `hold` > 0: first of all, nobody calls for so many seconds."""

FRESH_SECONDS = 20.0  # that turns may be kept: whoever is slow asks again, and so is known to be alive
HANDFUL_SECONDS = 0.1  # of turns taken at once: asking for each one would cost more than many a call


class Pace:
    def __init__(self, reserve: ReserveTurns, *, per_second: float, burst: int) -> None:
        self.calls = 0  # HTTP requests sent, repeated ones included
        self._reserve = reserve
        self._handful = max(1, min(burst, int(per_second * HANDFUL_SECONDS)))
        self._left = 0
        self._hold = 0.0
        self._begins = 0.0  # when (monotonic) the turns left may be used

    async def turn(self) -> None:
        """Wait until one more request may be sent."""
        if not self._left or self._hold or monotonic() > self._begins + FRESH_SECONDS:
            hold, self._hold = self._hold, 0.0
            self._begins = monotonic() + self._reserve(self._handful, hold)
            self._left = self._handful
        self._left -= 1
        if (wait := self._begins - monotonic()) > 0:
            await asyncio.sleep(wait)
        self.calls += 1

    def hold(self, seconds: float) -> None:
        """Let nobody, of this job or another, call the endpoint for so long: it asked for that."""
        self._hold = max(self._hold, seconds)
