"""Directions for a whole cohort, one after the other: each sample's from a random stream of its own."""

import numpy as np

from algorithms.seam.case import Cohort
from algorithms.seam.question import Owners
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.directions.unit import Offsets

AHEAD = 16  # directions drawn at once for a sample, where they are small
NUMBERS = (
    2**16
)  # of them at the most: by the size of a sample alone, for the bits of some laws go by how many there are


class Draws:
    """Draws hand out directions, and draw for each sample a few ahead: one at a time, Python would cost more."""

    def __init__(self, cohort: Cohort, law: DirectionLaw, *, draw: int) -> None:
        n, shape = len(cohort.cases), cohort.x.shape[1:]
        self._law, self._rngs = law, [stream.at(draw) for stream in cohort.streams]
        self._ahead = max(1, min(AHEAD, NUMBERS // cohort.x[0].size))
        self._drawn = np.empty((n, self._ahead, *shape), np.float32)
        self._place = np.full(n, self._ahead)

    def next(self, who: Owners) -> Offsets:
        """Hand out the next direction of each of these samples, flat: (m, d), of l2 length 1."""
        for owner in who[self._place[who] == self._ahead].tolist():
            self._law.draw(self._rngs[owner], self._drawn[owner])
            self._place[owner] = 0
        drawn: Offsets = self._drawn[who, self._place[who]].reshape(len(who), -1)
        self._place[who] += 1
        return drawn
