"""Threads for what may take seconds, and a lane for each tenant, so that nobody waits for another tenant's long calls.

Reading an upload, or rows of it, takes seconds of a processor. Forty at a time would fill the pool of threads that all
other calls are answered in; and whoever sends forty would hold up everybody.
"""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

WIDTH = 2  # of a lane: so many long calls of one tenant are worked on at a time
THREADS = 8  # of all lanes together, beside those of short calls

T = TypeVar("T")


class Lanes:
    """Lanes are of one application; calls in one of them wait for each other, first come first served."""

    def __init__(self) -> None:
        self._threads = CapacityLimiter(THREADS)
        self._lanes: dict[str, CapacityLimiter] = {}  # as many as there are tenants

    async def run(self, tenant: str, call: Callable[[], T]) -> T:
        """Calls in a thread, when its tenant's lane has room. Raises what the call raises."""
        async with self._lanes.setdefault(tenant, CapacityLimiter(WIDTH)):
            return await to_thread.run_sync(call, limiter=self._threads)
