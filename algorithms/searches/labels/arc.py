"""Arcs of the circle through a sample and a point: all ways to turn from that point towards the sample.

The polar move of SurFree (Maho et al., CVPR 2021, arXiv:2011.12807) and the semicircle of CGBA (Reza et al., ICCV 2023,
arXiv:2308.03163). A plane through the point meets the circle once more, where it is nearest to the sample within the
plane of the circle (Thales): so all that a flat boundary has to give is found by halving one arc.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Rows
from algorithms.searches.labels.line import Along, a_line_each
from algorithms.threats.threat import Threat

RIGHT = math.pi / 2
PARALLEL = 1e-6  # a direction of which no more than this share points sideways leads to the point itself, in float32


@dataclass(frozen=True)
class Arc:
    """An arc is z(angle) = x + r cos(angle) (cos(angle) u + sin(angle) v), of one sample; or of n samples, one each.

    r u leads from x to the point, r v is as long and at right angles to it. Angle 0 is the point, a right angle x, and
    r cos(angle) the distance from x, in l2 and before clipping. Along 0 is the angle `inner`, share 1 `outer`.
    """

    x: Rows  # (*shape) or (n, *shape)
    point: Rows  # likewise
    sideways: Rows  # likewise: r v, as `sideways` finds it
    threat: Threat
    outer: Along = 0.0  # one angle, or (n,)
    inner: Along = RIGHT

    @cached_property
    def far(self) -> Rows:
        """Find the valid points at share 1."""
        return self.at(1.0)

    @cached_property
    def _towards(self) -> NDArray[Any]:
        """The way to the point, r u: asked for at every angle."""
        return np.asarray(self.point - self.x)

    def at(self, share: Along) -> Rows:
        """Find the valid points (*shape) or (n, *shape) at these shares of the angle: the point itself at angle 0."""
        angle = self.inner + np.multiply(share, np.subtract(self.outer, self.inner))
        if np.ndim(angle) == 0 and angle == 0:
            return self.point
        cos, sin = (a_line_each(of(angle), self.x) for of in (np.cos, np.sin))
        return np.asarray(self.threat.clip(self.x + cos * (cos * self._towards + sin * self.sideways), self.x))


def sideways(towards: NDArray[Any], directions: NDArray[Any], threat: Threat) -> Rows:
    """Find what of directions (n, *shape) is at right angles to ways (n, *shape), at the length of the ways.

    0 where a direction leads along its way, or a way nowhere. In l2, which has to be the threat's norm.
    """
    flat = (len(towards), -1)
    way, direction = towards.reshape(flat).astype(np.float64), directions.reshape(flat).astype(np.float64)
    square = np.square(way).sum(axis=1)
    along = (direction * way).sum(axis=1) / np.where(square > 0, square, 1.0)
    across = direction - along[:, None] * way
    size, length = threat.lengths(across), threat.lengths(way)
    is_one = size > PARALLEL * threat.lengths(direction)
    scale = np.where(is_one, length / np.where(is_one, size, 1.0), 0.0)
    return np.asarray(scale[:, None] * across, np.float32).reshape(towards.shape)
