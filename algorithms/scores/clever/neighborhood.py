"""One sample, its rival classes, and the balls drawn around it to meet the largest gradient norms.

The `auto` radius. A larger ball shows farther, but meets steeper gradients: the score min(margin / L(R), R) is largest
where both meet, since L(R) does not fall as R grows. So radii are tried upward from a quarter of the first-order
distance margin / ||grad||, in steps of sqrt(2), BLOCK points each, until one reaches margin / L. What smaller balls met
counts for the larger, and the sample's own gradient for all: margin / L never exceeds the first-order distance, where
the walk is over at the latest. The crossing is interpolated between the last two radii, and HEADROOM added, so that a
score is not cut by its own radius: that of a linear model is exact.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.geometry import inner_radius
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.mathematics.streams import BLOCK
from algorithms.seam.case import Case, Step
from algorithms.seam.questions.gradient_norms import AskGradientNorms, Ball
from algorithms.searches.boundaries.rivals import reach, rivals_of
from algorithms.threats.threat import Threat

STEPS = tuple(2.0 ** (k / 2) for k in range(-4, 1))  # radii tried, in first-order distances
HEADROOM = 1.05

# Gradients in a question, one a point and rival. A question is a round of silence, and no cancel is noticed in it: of
# a ResNet-50 at 224 x 224 this many take minutes on two cores. Rivals asked apart cost one forward pass more per group.
AT_ONCE = 40 * BLOCK


@dataclass(frozen=True)
class Neighborhood:
    """A neighborhood is one sample's, with its rivals and the norm of the balls drawn around it."""

    case: Case
    threat: Threat
    ball: Norm
    sampling: Literal["radial", "uniform"]
    rivals: NDArray[np.int64]  # (r,), the highest logit first
    margins: Numbers  # (r,): f_label - f_rival at the sample

    @classmethod
    def of(
        cls, case: Case, threat: Threat, *, ball: Norm, sampling: Literal["radial", "uniform"], most: int | None
    ) -> "Neighborhood":
        """Choose the rivals: the target, or the other classes, or the `most` of these that have the highest logits."""
        rivals, margins = rivals_of(case, most)
        return cls(case, threat, ball, sampling, rivals, margins)

    @property
    def row(self) -> int:
        """Find the row of the threat's norm, among the three of every answer."""
        return NORMS.index(self.threat.norm)

    def largest_norms(self, radius: float, n: int, counter: int) -> Step[Numbers]:
        """Ask for the largest norms met at n points of the ball of this radius, (3, r): part by part, AT_ONCE at most.

        The counters go with the blocks, so the points are the same however they are parted.
        """
        case, threat = self.case, replace(self.threat, norm=self.ball)
        groups = np.array_split(self.rivals, math.ceil(len(self.rivals) * BLOCK / AT_ONCE))
        size = BLOCK * max(1, AT_ONCE // BLOCK // len(self.rivals))  # points a part
        met = np.zeros((3, len(self.rivals)))
        for start in range(0, n, size):
            m, first = min(size, n - start), counter + start // BLOCK
            ball = Ball(case.x, radius, threat, self.sampling, m, case.stream, first)
            parts: list[Numbers] = []
            for group in groups:
                parts.append((yield from AskGradientNorms(ball, case.label, group, is_paid=bool(parts))))
            met = np.maximum(met, np.concatenate(parts, axis=1))  # NaN stays
        return met

    def cap(self, norm: Norm, radius: float) -> float:
        """Measure how far in this norm a ball of this radius reaches in every direction."""
        return inner_radius(norm, self.ball, radius, self.case.x.size)

    def is_clipped(self, radius: float) -> bool:
        """Tell whether some points of the ball are not valid, and are moved to the box's faces."""
        return self.threat.is_cut(self.case.x, radius)

    def farthest_input(self) -> float:
        """Measure the distance of the farthest valid input, in the threat's norm."""
        return float(self.threat.farthest(self.case.x[None].astype(np.float64))[0])

    def walk(self, met: Numbers, counter: int) -> Step[tuple[float, Numbers]]:
        """Find the `auto` radius, and the largest norms met on the way (r,), from those at the sample itself, (r,).

        Uses len(STEPS) counters. Margins must be above 0, and one gradient at least. A NaN ends the walk.
        """
        unit, per_radius = self.shown(met), self.cap(self.threat.norm, 1.0)
        tried: list[float] = []
        shown: list[float] = []  # margin / L for each radius tried
        for number, step in enumerate(STEPS):
            tried.append(step * unit)
            answer = yield from self.largest_norms(tried[-1] / per_radius, BLOCK, counter + number)
            met = np.maximum(met, answer[self.row])
            shown.append(self.shown(met))
            if not shown[-1] > HEADROOM * tried[-1]:
                break
        return HEADROOM * _crossing(tried[-2:], shown[-2:]) / per_radius, met

    def shown(self, gradient_norms: Numbers) -> float:
        """Find the least margin / L over the rivals, were these (r,) the largest gradient norms."""
        return float(reach(self.margins, gradient_norms).min())


def _crossing(radii: list[float], shown: list[float]) -> float:
    """Where `shown` falls to the radius, on straight lines in logarithms between two radii; the last radius at most."""
    if len(radii) == 1:
        return radii[0]
    before, after = np.log(np.divide(shown, radii))  # before > 0; after is 0 or less, but for the headroom
    share = min(1.0, before / (before - after))
    return float(radii[0] * (radii[1] / radii[0]) ** share)
