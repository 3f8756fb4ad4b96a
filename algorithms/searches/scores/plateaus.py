"""Plateaus: where distinct rows get the same scores to the last bit, and differences between them say nothing.

Probabilities that an endpoint rounds to a few digits, soft-max values that float32 saturates, and models that are flat
between steps look like this. A plateau is no boundary: a wider step may look across it. So a search that estimates
slopes from differences widens its step there, and says that it did (warning `plateau`).
"""

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Scores
from algorithms.seam.claims import Details
from algorithms.seam.question import Owners

WARNING = "plateau"
WIDER = 4.0  # by which a step grows on a plateau
MOSTLY = 0.5  # share of the differences of an estimate that are 0 on a plateau


def are_equal(scores: Scores, others: Scores) -> Mask:
    """Tell which rows (m,) were answered by the same scores (m, classes) as others, to the last bit."""
    return np.asarray((scores == others).all(axis=1))


class Plateaus:
    """Plateaus remember of each of n samples how wide its step has become, from its first to its widest (n,)."""

    def __init__(self, first: Numbers, widest: Numbers) -> None:
        self.step: Numbers = np.array(first, np.float64)  # (n,) of the next estimate
        self._widest = np.maximum(widest, first)
        self.are_met: Mask = np.zeros(len(first), np.bool_)  # who has met one
        self.are_blind: Mask = np.zeros(len(first), np.bool_)  # whose widest step saw nothing, the last time

    def see(self, owners: Owners, flat_share: Numbers) -> Owners:
        """Take in which share of their differences was 0 (m,), of samples in an estimate each; widen where most were.

        Returns those who met a plateau for the first time.
        """
        is_flat = flat_share > MOSTLY
        self.are_blind[owners] = (flat_share == 1) & (self.step[owners] >= self._widest[owners])
        flat = owners[is_flat]
        new: Owners = flat[~self.are_met[flat]]
        self.are_met[flat] = True
        self.step[flat] = np.minimum(WIDER * self.step[flat], self._widest[flat])
        return new

    def of(self, owner: int) -> Details:
        """Warn of a plateau in a finding's details, where one was met."""
        return {"warnings": [WARNING]} if self.are_met[owner] else {}
