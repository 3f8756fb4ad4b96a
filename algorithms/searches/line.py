"""The way from a sample to another point, along which attacks on labels look for the boundary."""

from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.geometry import distance
from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Rows
from algorithms.seam.threat import Threat


@dataclass(frozen=True)
class Way:
    """The segment from x to `far`; in linf the point clipped to a cube around x that grows until it holds `far`."""

    x: Rows  # (*shape)
    far: Rows  # (*shape)
    threat: Threat
    length: float

    @classmethod
    def between(cls, x: Rows, far: Rows, threat: Threat) -> "Way":
        return cls(x, far, threat, distance(far, x, threat.norm))

    def at(self, share: float) -> Rows:
        """The point (*shape) of the box at this share of the length, from 0 at x to 1 at `far` itself."""
        if share == 1.0:
            return self.far
        if self.threat.norm is Norm.LINF:
            radius = np.float32(share * self.length)
            row = np.clip(self.far, self.x - radius, self.x + radius)
        else:
            row = self.x + np.float32(share) * (self.far - self.x)
        return np.asarray(np.clip(row, self.threat.box.lower, self.threat.box.upper), np.float32)

    def within(self, radius: float) -> Rows:
        """The farthest point (*shape) of the way within this distance of x."""
        return self.far if self.length <= radius else self.at(radius / self.length)
