"""What others have found of a sample before: where a method may begin, and never what it may conclude.

A hint may be wrong, and whoever made it may have meant harm. A method asks the model about whatever it takes from one,
at the sample's expense, and claims only what it was answered.
"""

from dataclasses import dataclass

import numpy as np

from algorithms.seam.access import Rows
from algorithms.threats.threat import Threat


@dataclass(frozen=True)
class Hint:
    """A hint says where one sample is told to break, and how far it is told to hold. The default knows nothing."""

    point: Rows | None = None  # (*shape): another class is said to begin here
    reached: float = np.inf  # the distance at which the sample is said to be broken
    proven: float = 0.0  # the radius within which nothing is said to break it

    def about(self, x: Rows, threat: Threat) -> "Hint":
        """Drop what cannot be true of the sample x: a point that is no valid input, a radius that is none."""
        point = self.point
        if point is not None:
            point = point if point.shape == x.shape and threat.allows(point, x) else None
        reached = self.reached if self.reached > 0 else np.inf
        return Hint(point, reached, self.proven if 0 < self.proven < np.inf else 0.0)


NOTHING_KNOWN = Hint()
