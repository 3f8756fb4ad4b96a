"""How long the boundary attack's steps are: so long that a set share of them succeeds.

Brendel et al. 2018, section 2.3: where few of the steps along the sphere stay adversarial, they are too long for the
boundary to be flat; where most do, they may be longer. So it is with the step towards the sample, which the angle of
the boundary limits. The authors' code waits for a hundred answers before it changes a length. Here each answer changes
it a little, by amounts that cancel out at the wanted share, as in evolution strategies with a rule of success (Igel,
Hansen, Roth, Evolutionary Computation 15, 2007): a budget of 1,000 queries is too short for such waiting.
"""

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.question import Owners

LONGEST = 0.5  # of the distance

# On a flat boundary at the angle t away from the walk's direction, in d dimensions, a step delta = a tan(t) / sqrt(d)
# along the sphere survives epsilon = b tan^2(t) / d with the probability Q(a / 2 + b / a), Q the normal tail. The gain
# b Q is largest at a = sqrt(2 b) = 1.19: then Q(a / 2) = 0.28 of the steps along the sphere and Q(a) = 0.12 of all
# succeed. The paper aims at about 0.5, and gives no number for the other.
ON_SPHERE, IN_ALL = 0.28, 0.12
SPHERE_SPEED, SPEED = 0.2, 0.05  # of the logarithm of a length, an answer: the first has fewer answers to go by


class StepLengths:
    """Step lengths (n,) are shares of each sample's distance, and follow how often its steps succeed."""

    def __init__(self, n: int, first: float, *, wanted: float, speed: float) -> None:
        self.lengths: Numbers = np.full(n, first)
        self._growth = np.exp(speed * (np.array([0.0, 1.0]) - wanted))  # (2,) at a failure, at a success

    def hear(self, who: Owners, wins: Mask) -> None:
        """Take in whether one step of each of these samples (m,) succeeded."""
        self.lengths[who] = np.minimum(LONGEST, self.lengths[who] * self._growth[wins.astype(np.int64)])
