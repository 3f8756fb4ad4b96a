"""Whether rays around one are longer than it: one query each (Cheng et al., Sign-OPT, ICLR 2020, section 3.1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Labels, Rows
from algorithms.seam.case import Step
from algorithms.seam.questions.cloud import AskCloud, Cloud
from algorithms.searches.ray_lengths.descent import RayDescent


@dataclass
class RaySigns:
    """The sign of a ray is 1 where it is longer than g, and -1 where its point at distance g is adversarial."""

    descent: RayDescent
    cloud: Cloud
    shorter: int = 0
    sums: NDArray[np.float64] | float = 0.0  # (2, d) of s u and of u

    def feed(self, points: Rows, labels: Labels) -> None:
        signs = np.where(self.descent.walk.wins(labels), -1, 1).astype(np.float32)
        self.shorter += int((signs < 0).sum())
        weights = np.stack([signs, np.ones_like(signs)])
        self.sums = self.sums + np.asarray(weights @ self.descent.offsets(points), np.float64)

    @property
    def mean(self) -> Numbers:
        """Estimate the gradient's direction (*shape): the mean of s u."""
        told, drift = np.asarray(self.sums, np.float64).reshape(2, *self.cloud.x.shape) / self.cloud.n
        mean = 1 - 2 * self.shorter / self.cloud.n
        return np.asarray(told if abs(mean) == 1 else told - mean * drift)


def ask_signs(descent: RayDescent, n: int) -> Step[RaySigns]:
    """Ask the signs of n rays in directions theta + beta u."""
    cloud = descent.cloud(n)
    return (yield from AskCloud(cloud, lambda: RaySigns(descent, cloud)))
