"""Plateaus: where distinct rows get the same scores to the last bit, and differences between them say nothing.

Probabilities that an endpoint rounds to a few digits, soft-max values that float32 saturates, and models that are flat
between steps look like this. A plateau is no boundary: a wider step may look across it. So a search that estimates
slopes from differences widens its step there, and says that it did (warning `plateau`).
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.claims import Details
from algorithms.seam.question import Owners

WARNING = "plateau"
WIDER = 4.0  # by which a step grows on a plateau
ENOUGH = 20  # differences, before a plateau is told from chance
MOSTLY = 0.5  # of these that are 0 on a plateau


def flat_shares(rises: Numbers) -> tuple[Numbers, NDArray[np.int64]]:
    """Measure which share of differences (m, b) is 0, and count those that are known: (m,) each. NaN tells nothing."""
    known = np.isfinite(rises).sum(axis=1)
    return (rises == 0).sum(axis=1) / np.maximum(1, known), known


class Plateaus:
    """Plateaus remember of each of n samples how wide its step has become, from its first to its widest (n,)."""

    def __init__(self, first: Numbers, widest: Numbers) -> None:
        n = len(first)
        self.step: Numbers = np.array(first, np.float64)  # (n,) of the next estimate
        self._widest = np.maximum(widest, first)
        self._flat, self._seen = np.zeros(n, np.int64), np.zeros(n, np.int64)  # differences at this step so far
        self.are_met: Mask = np.zeros(n, np.bool_)  # who has met one
        self.are_blind: Mask = np.zeros(n, np.bool_)  # whose widest step saw nothing, the last time

    def see(self, owners: Owners, flat_share: Numbers, differences: int | NDArray[np.int64] = ENOUGH) -> Owners:
        """Take in which share of their differences was 0 (m,), of so many each (m,); widen where most were.

        Fewer than ENOUGH are taken together with those that follow. Returns those who met a plateau for the first time.
        """
        self._flat[owners] += np.rint(flat_share * differences).astype(np.int64)
        self._seen[owners] += differences
        told = owners[self._seen[owners] >= ENOUGH]
        share = self._flat[told] / self._seen[told]
        self._flat[told], self._seen[told] = 0, 0
        self.are_blind[told] = (share == 1) & (self.step[told] >= self._widest[told])
        met = told[share > MOSTLY]
        new: Owners = met[~self.are_met[met]]
        self.are_met[met] = True
        self.step[met] = np.minimum(WIDER * self.step[met], self._widest[met])
        return new

    def of(self, owner: int) -> Details:
        """Warn of a plateau in a finding's details, where one was met."""
        return {"warnings": [WARNING]} if self.are_met[owner] else {}
