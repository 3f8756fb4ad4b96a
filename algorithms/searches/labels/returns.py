"""Returns: the ways back of many samples at once, from adversarial points towards the samples, halved in step."""

import numpy as np

from algorithms.mathematics.arrays import Mask
from algorithms.seam.access import Rows
from algorithms.seam.question import Owners
from algorithms.searches.labels.line import Segment, narrowed
from algorithms.threats.threat import Threat

HALVINGS = 10  # of the segment from the sample to a success

Block = Owners | slice


class Returns:
    """Returns are segments from samples to adversarial points, each halved in its own time towards the sample."""

    def __init__(self, x: Rows, threat: Threat, *, halvings: int = HALVINGS) -> None:
        self._x, self._far, self._threat, self._halvings = x, x.copy(), threat, halvings
        self._low, self._high = np.zeros(len(x)), np.ones(len(x))  # shares: not, and still adversarial
        self._left = np.zeros(len(x), np.int64)  # halvings

    def are_under_way(self, who: Owners) -> Mask:
        """Tell who (m,) of these samples has halvings left."""
        return np.asarray(self._left[who] > 0)

    def begin(self, who: Owners, far: Rows) -> None:
        """Begin anew from these adversarial points (m, *shape)."""
        self._far[who], self._low[who], self._high[who], self._left[who] = far, 0.0, 1.0, self._halvings

    def middles(self, who: Block) -> Rows:
        """Compute the points (m, *shape) to be asked."""
        segments = Segment(self._x[who], self._far[who], self._threat)
        return np.asarray(segments.at((self._low[who] + self._high[who]) / 2))

    def hear(self, who: Owners, wins: Mask) -> Owners:
        """Take in which middles were adversarial. Returns those at their end."""
        self._low[who], self._high[who] = narrowed(self._low[who], self._high[who], wins)
        self._left[who] -= 1
        at_end: Owners = who[self._left[who] == 0]
        return at_end
