"""Blocks of features, halved from level to level, and where each of many samples stands among them.

Level h cuts d features into about 2^h parts of the same length, ceil(d / 2^h), in their order: all of them, the halves,
the quarters, down to single features (Chen & Gu 2020, algorithm 1; Al-Dujaili & O'Reilly 2020, algorithm 2).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask
from algorithms.seam.question import Owners


class Blocks:
    """Blocks know each sample's next one: its level h, and which part of that level it is; part -1 is none of them."""

    def __init__(self, samples: int, d: int) -> None:
        self.d = d
        self.depth = int(np.ceil(np.log2(d)))  # of the last level, where parts are single features
        self.level, self.part = np.zeros(samples, np.int64), np.zeros(samples, np.int64)

    def flip(self, signs: NDArray[Any], who: Owners) -> None:
        """Turn the signs (n, d) of these samples in the block that is each one's next: again, and they are back."""
        length = self._lengths(who)
        start = self.part[who] * length
        for owner, first, last in zip(who.tolist(), start.tolist(), (start + length).tolist(), strict=True):
            np.negative(signs[owner, first:last], out=signs[owner, first:last])

    def have_another(self, who: Owners) -> Mask:
        """Tell whose level (m,) has another block after the next one."""
        return np.asarray((self.part[who] + 1) * self._lengths(who) < self.d)

    def turn(self, who: Owners) -> Owners:
        """Go on to the next part, or the next level. Returns who has no level left: they stand at the first again."""
        self.part[who] += 1
        at_end = who[self.part[who] * self._lengths(who) >= self.d]
        self.part[at_end] = 0
        self.level[at_end] += 1
        done = at_end[self.level[at_end] > self.depth]
        self.level[done] = 0
        return done

    def _lengths(self, who: Owners) -> NDArray[np.int64]:
        return np.asarray(-(-self.d // 2 ** self.level[who]))
