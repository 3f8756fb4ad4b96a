"""The constant c of a penalty, searched for each sample: the least with which minimizing distance + c f still succeeds.

Carlini & Wagner, S&P 2017, section VI-A, in the bounds of their published code: ten times as much until it succeeds,
then the middle between the largest constant that failed and the smallest that succeeded.
"""

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.question import Owners

GROWTH = 10.0  # of a constant that fails while none has succeeded
MOST = 1e10


class ConstantSearch:
    """A constant search holds the constant of each sample that is tried next, and the ends between which it lies."""

    def __init__(self, n: int, first: float) -> None:
        self.constant: Numbers = np.full(n, first)
        self.failed: Numbers = np.zeros(n)
        self.succeeded: Numbers = np.full(n, np.inf)

    def learn(self, owners: Owners, won: Mask) -> None:
        """Take in with whom of the owners (m,) the constants succeeded, and choose the next ones."""
        tried = self.constant[owners]
        succeeded = np.where(won, np.minimum(self.succeeded[owners], tried), self.succeeded[owners])
        failed = np.where(won, self.failed[owners], np.maximum(self.failed[owners], tried))
        middle = (failed + np.where(np.isfinite(succeeded), succeeded, 0.0)) / 2
        self.constant[owners] = np.where(np.isfinite(succeeded), middle, np.minimum(GROWTH * tried, MOST))
        self.succeeded[owners], self.failed[owners] = succeeded, failed

    def restart(self, owners: Owners, first: float) -> None:
        """Forget what was learned of some of the samples."""
        self.constant[owners], self.failed[owners], self.succeeded[owners] = first, 0.0, np.inf

    def repeat_the_best(self, owners: Owners) -> None:
        """Try the smallest constants again that have succeeded, where any has."""
        best = self.succeeded[owners]
        self.constant[owners] = np.where(np.isfinite(best), best, self.constant[owners])
