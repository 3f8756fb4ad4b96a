"""Directions tried last, to which the next ones are made orthogonal: what was just tried in vain is not tried again."""

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.seam.question import Owners
from algorithms.searches.directions.unit import Offsets

NUMBERS = 2**18  # that a sample's past may hold, whatever is asked for


class Past:
    """A past holds the last directions of each sample, flat and of l2 length 1; zeros where there were fewer."""

    def __init__(self, samples: int, d: int, *, dimensions: int, most: int) -> None:
        # Half of the space is left to draw from; of a plane, nothing is held.
        self._most = min(most, NUMBERS // d, max(0, dimensions // 2 - 1))
        self._held = np.zeros((samples, self._most, d), np.float32)
        self._tried = np.zeros(samples, np.int64)

    def without(self, who: Owners, rows: Rows) -> Rows:
        """Take from rows (m, d) what lies along the last directions of these samples: Gram-Schmidt."""
        if not self._most:
            return rows
        held = self._held[who]  # (m, k, d)
        along = held @ rows[:, :, None]  # (m, k, 1)
        return np.asarray(rows - (along.transpose(0, 2, 1) @ held)[:, 0])

    def add(self, who: Owners, directions: Numbers | Offsets) -> None:
        """Hold these directions (m, d) in the place of the oldest."""
        if not self._most:
            return
        size = np.sqrt(np.square(directions).sum(axis=1, keepdims=True))
        self._held[who, self._tried[who] % self._most] = directions / np.where(size > 0, size, 1)
        self._tried[who] += 1
