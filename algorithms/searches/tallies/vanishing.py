"""How often the gradients of a cohort's samples vanished: an attack that follows them has then seen nothing."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask
from algorithms.seam.claims import Note
from algorithms.seam.question import Owners

MOSTLY_ZERO = 0.9  # share of gradients that vanished from which on a reader is warned


class Vanishing:
    """A vanishing counts the gradients of n samples, and those that were 0 in every feature."""

    def __init__(self, n: int) -> None:
        self._asked, self._zero = np.zeros(n, np.int64), np.zeros(n, np.int64)

    def see(self, owners: Owners, slopes: NDArray[Any]) -> None:
        """Count gradients (m, d) of these samples, one each; 0 stands where one is no number."""
        self._asked[owners] += 1
        self._zero[owners] += ~slopes.any(axis=1)

    @property
    def always(self) -> Mask:
        """Tell of whom (n,) all gradients vanished, and there were some."""
        return np.asarray((self._asked > 0) & (self._zero == self._asked))

    def tell(self, live: Mask) -> Iterator[Note]:
        """Note of each live sample how often its gradient was zero, with a warning where it nearly always was."""
        for owner in np.flatnonzero(live):
            share = float(self._zero[owner] / max(1, self._asked[owner]))
            warned = {"warnings": ["zero_gradients"]} if share >= MOSTLY_ZERO else {}
            yield Note({"zero_gradient_share": share} | warned, owner=int(owner))
