"""Rays: from a sample in a direction. What is bisected is what is valid: its distance is the clipped point's."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Rows
from algorithms.searches.labels.line import Along, a_line_each
from algorithms.threats.threat import Threat


@dataclass(frozen=True)
class Ray:
    """A ray is clip(x + share length direction) of one sample; or of n samples, one each. It goes on beyond share 1."""

    x: Rows  # (*shape) or (n, *shape)
    direction: NDArray[Any]  # likewise
    length: Along  # of the direction, at share 1: one number, or (n,)
    threat: Threat[Any]

    @cached_property
    def far(self) -> Rows:
        """Find the valid points at share 1."""
        return self.at(1.0)

    def at(self, share: Along) -> Rows:
        """Find the valid points (*shape) or (n, *shape) at these shares of the length: one number, or (n,)."""
        reach = a_line_each(np.multiply(share, self.length), self.x)
        return np.asarray(self.threat.clip(self.x + reach * self.direction, self.x))
