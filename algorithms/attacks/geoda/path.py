"""From a sample as far as its norm leads against a flat boundary: the line GeoDA follows, by the boundary's normal.

The least change that crosses the plane w.z = c is, in Rahmati et al., CVPR 2020, section 3.2, along w in l2, along the
signs of w in linf, and in l1 along the features in which w is largest, one after the other to the ends of the box. A
plane farther off is crossed farther along the same line.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.threats.threat import Threat


@dataclass(frozen=True)
class NormalPath:
    """A path holds, for each distance from one sample, the valid point within it that is farthest along the normal.

    From `near` to `reach` it is a line: its share 0 lies at the distance `near`, its share 1 at `reach`.
    """

    sample: Rows  # (*shape)
    normal: Numbers  # (*shape), of no particular length
    near: float
    reach: float
    threat: Threat

    @cached_property
    def x(self) -> Rows:
        """Find the near end (*shape): the sample itself where `near` is 0."""
        return self.at(0.0)

    @cached_property
    def far(self) -> Rows:
        """Find the far end (*shape)."""
        return self.at(1.0)

    def at(self, share: float) -> Rows:
        """Find the valid point (*shape) at this share of the way from `near` to `reach`."""
        x = self.sample.reshape(1, -1)
        distance = np.array([self.near + share * (self.reach - self.near)])
        change = self._flat.least(-self.normal.reshape(1, -1), x, distance)  # (1, d)
        return np.asarray(self._flat.clip(x + change, x), np.float32).reshape(self.sample.shape)

    @cached_property
    def _flat(self) -> Threat:
        return self.threat.arranged(lambda side: np.broadcast_to(side, self.sample.shape).reshape(1, -1))
