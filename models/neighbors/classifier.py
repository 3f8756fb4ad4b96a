"""A nearest-neighbor model under audit, in numpy.

The k nearest points vote. Of points at the same distance the one that comes first in the upload is nearer; of classes
with the same number of votes the smallest label wins, as in scikit-learn.
"""

from collections.abc import Mapping
from typing import final

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Access, Labels, Rows
from algorithms.seam.questions.neighbors import Neighbors

BLOCK_NUMBERS = 1 << 21  # distances held at once
MORE = 8  # candidates beside the k nearest: rows with more at nearly the same distance are measured in full
UNIT = 2.0**-53  # a rounding in float64


@final
class NeighborClassifier:
    """A neighbor classifier speaks `algorithms.seam.access.Model`.

    Distances decide that are sums of squared differences, each along one row, so that a row's label does not depend on
    its company. One matrix product, whose rounding is bounded, says first which points are worth that.
    """

    gives_probabilities = False
    substitutes = None

    def __init__(self, neighbors: Neighbors, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.offers = dict.fromkeys((Access.LABELS, Access.NEIGHBOURS), self)
        self.classes = int(neighbors.y.max()) + 1
        self._neighbors = neighbors
        self._met, self._ranks = np.unique(neighbors.y, return_inverse=True)  # labels that occur; of each point, which
        self._sizes = np.square(neighbors.features).sum(axis=1)  # (n,)

    def neighbors(self) -> Neighbors:
        return self._neighbors

    def computed_with(self) -> Mapping[str, str]:
        return {}  # the processor alone

    def labels(self, rows: Rows) -> Labels:
        flat = rows.reshape(len(rows), -1).astype(np.float64)
        step = max(1, BLOCK_NUMBERS // len(self._sizes))
        return np.concatenate([self._vote(flat[start : start + step]) for start in range(0, len(flat), step)])

    def _vote(self, rows: Numbers) -> Labels:
        """(m, d) -> (m,)"""
        nearest = self._nearest(self._neighbors.map(rows))  # (m, k)
        votes = np.zeros((len(rows), len(self._met)), np.int32)  # no wider than there are points
        np.add.at(votes, (np.arange(len(rows))[:, None], self._ranks[nearest]), 1)
        return np.asarray(self._met[votes.argmax(axis=1)])

    def _nearest(self, features: Numbers) -> NDArray[np.int64]:
        """The k nearest points of each mapped row (m, r), in no order: (m, k)."""
        k, n = self._neighbors.k, len(self._sizes)
        taken = min(n, k + MORE)
        about, rounding = self._about(features)
        if taken == n:
            candidates = np.broadcast_to(np.arange(n), about.shape)
            unsure = np.zeros(len(about), np.bool_)
        else:
            order = np.argpartition(about, (k - 1, taken), axis=1)
            reached = np.take_along_axis(about, order[:, [k - 1, taken]], axis=1)  # k-th nearest, nearest left out
            unsure = ~(reached[:, 1] - reached[:, 0] > 2 * rounding)
            candidates = np.sort(order[:, :taken], axis=1)
        nearest = _smallest(self._squared_distances(features, candidates), candidates, k)
        for row in np.flatnonzero(unsure):
            everything = self._neighbors.squared_distances(features[row : row + 1])
            nearest[row] = _smallest(everything, np.arange(n)[None], k)[0]
        return nearest

    def _about(self, features: Numbers) -> tuple[Numbers, Numbers]:
        """Squared distances (m, n) by one product, and how wrong any of a row's can be: (m,)."""
        sizes = np.square(features).sum(axis=1)
        about = sizes[:, None] + self._sizes - 2 * features @ self._neighbors.features.T
        return about, 8 * (features.shape[1] + 8) * UNIT * (sizes + self._sizes.max())

    def _squared_distances(self, features: Numbers, candidates: NDArray[np.int64]) -> Numbers:
        """(m, r), (m, c) -> (m, c)"""
        found = np.empty(candidates.shape)
        for column, points in enumerate(candidates.T):
            found[:, column] = np.square(self._neighbors.features[points] - features).sum(axis=1)
        return found


def _smallest(squared: Numbers, candidates: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """The k candidates of least distance, (m, c) -> (m, k); of equals the first: candidates are in rising order."""
    order = np.argsort(squared, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(candidates, order, axis=1)
