"""How long one silence of Redis holds callers up: the first one, not each of them in turn."""

from collections.abc import Callable
from time import monotonic

REST_SECONDS = 1.0


class Silence:
    """Remembers for a moment that Redis did not answer in time.

    Meanwhile callers are told so at once: each would otherwise hold one of few threads for as long as the first one
    did, and those behind it would wait for the thread and then for Redis.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._until = clock()

    def begin(self) -> None:
        """A command was not answered in time."""
        self._until = self._clock() + REST_SECONDS

    @property
    def lasts(self) -> bool:
        """Tells whether to ask is still in vain, as far as anybody knows."""
        return self._clock() < self._until
