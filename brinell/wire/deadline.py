"""The caller's patience, kept in one place."""

import time

from brinell.errors import TimedOut


class Deadline:
    """A deadline is a number of seconds from now. None: no limit."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def seconds_left(self) -> float | None:
        """Returns the seconds left, never less than 0; None: no limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def whole_seconds(self, longest: int) -> int:
        """Returns what is left in whole seconds, at most `longest`: what a server can be asked to wait."""
        left = self.seconds_left
        return longest if left is None else min(longest, int(left))

    def pause(self, seconds: float, detail: str) -> None:
        """Sleeps, but not past the end. Raises TimedOut(detail) where the end has come."""
        left = self.seconds_left
        if left == 0.0:
            raise TimedOut(detail)
        time.sleep(max(0.0, seconds if left is None else min(seconds, left)))
