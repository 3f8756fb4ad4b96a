"""How long a run may go on."""

import math


class Allowance:
    """An allowance is the time of a run, spent where one more beat, as long as the longest so far, would pass it."""

    def __init__(self, ends: float) -> None:
        self._ends = ends
        self._before, self._longest = math.inf, 0.0

    def is_spent(self, now: float) -> bool:
        """Tells whether the run has to end; it is asked once a beat."""
        self._longest, self._before = max(self._longest, now - self._before), now
        return now + self._longest >= self._ends
