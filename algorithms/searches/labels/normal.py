"""The normal of a decision boundary, estimated from the labels of a cloud of points around a point on it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Labels, Rows
from algorithms.seam.questions.cloud import Cloud


@dataclass
class NormalEstimate:
    """An estimate adds up where a cloud's adversarial points lie: u = (point - x) / scale, as clipping left it."""

    cloud: Cloud
    wins: Callable[[Labels], NDArray[np.bool_]]
    hits: int = 0
    sums: NDArray[np.float64] | float = 0.0  # (2, d): of u over the adversarial points, and over all points

    def feed(self, points: Rows, labels: Labels) -> None:
        # Float32 holds the difference of close numbers exactly, and a block is too short for its sums to lose much.
        offsets = (points - self.cloud.x).reshape(len(points), -1)  # (m, d)
        won = self.wins(labels)
        weights = np.stack([won, np.ones_like(won)]).astype(np.float32)
        self.hits += int(won.sum())
        self.sums = self.sums + (weights @ offsets) / self.cloud.scale

    @property
    def normal(self) -> NDArray[np.float64]:
        """Estimate the boundary's normal (*shape), of no particular length, towards the adversarial side.

        sum of (v - mean v) u with v = 1 on the adversarial side and -1 on the other; where all points lie on one side,
        sum of v u (Chen et al. 2020, eq. 16 and appendix C).
        """
        towards, drift = np.asarray(self.sums, np.float64).reshape(2, *self.cloud.x.shape)
        if self.hits in (0, self.cloud.n):
            return np.asarray(drift if self.hits else -drift)
        return np.asarray(2 * (towards - self.hits / self.cloud.n * drift))
