"""What is known of one sample's margins: at the sample itself, at scouts around it, and by batches of points.

The `auto` radius. A larger ball shows farther, but meets more curvature: the score is largest where both meet. The
sample's own curvature belongs to every ball, so no radius beyond the distance that it shows can win. Scouts are drawn
from that ball at all distances; they show where the two meet, and which rivals are near enough to be measured closely.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Array, Numbers
from algorithms.mathematics.losses import one_hot
from algorithms.mathematics.streams import BLOCK
from algorithms.scores.clever_second_order.curvature import Curvature
from algorithms.scores.clever_second_order.reading import crossing, reach
from algorithms.seam.case import Case, Step
from algorithms.seam.questions.gradient_norms import Ball
from algorithms.seam.questions.gradients import AskGradient
from algorithms.threats.threat import Threat

SCOUTS = BLOCK  # points
CONTENDERS = 3  # rivals that the scouts show nearest: batches are drawn for these
HEADROOM = 1.05  # over the radius that scouts show: a score is not cut by its own radius
SCOUTING, BATCHES = 0, 1  # counters of the stream


@dataclass
class SmoothVicinity:
    """A vicinity is one sample's; `look`, then `scout`, then `batches` fill in what is known of its rivals (r,)."""

    case: Case
    threat: Threat
    rivals: NDArray[np.int64]
    margins: Numbers
    curvature: Curvature
    slopes: Numbers = field(default_factory=lambda: np.zeros(0))  # gradient norms at the sample
    center: Numbers = field(default_factory=lambda: np.zeros(0))  # downward curvatures there
    met: Numbers = field(default_factory=lambda: np.zeros(0))  # the largest there and at scouts within the ball

    def look(self) -> Step[None]:
        """Take gradients and curvatures at the sample itself."""
        label, rivals = self.case.label, self.rivals

        def margin(scores: Array, positions: NDArray[np.int64]) -> Array:
            own = np.full(len(positions), label)
            return one_hot(own, scores) - one_hot(rivals[positions], scores)

        rows = np.repeat(self.case.x[None], len(rivals), axis=0)
        _, gradients = yield from AskGradient(rows, cotangent=margin)
        self.slopes = self.threat.dual_lengths(gradients)
        self.center = (yield from self.curvature.downward(self.case.x[None], rivals))[0]

    @property
    def is_finite(self) -> bool:
        return bool(np.isfinite([self.slopes, self.center]).all())

    @property
    def first_order_distance(self) -> float:
        return float(reach(self.margins, self.slopes, 0.0).min())

    @property
    def distance(self) -> float:
        """Find the least distance that gradient and curvature at the sample show: the score is at most this."""
        return float(reach(self.margins, self.slopes, self.center).min())

    def scout(self, radius: float | None) -> Step[float]:
        """Keep the rivals that scouts show nearest, and return the radius of the ball: `auto` where None is given.

        NaN where a scout's curvature is not finite.
        """
        points = next(self._ball(radius or self.distance, SCOUTS, SCOUTING).blocks())
        found = yield from self.curvature.downward(points, self.rivals)  # (n, r)
        if not np.isfinite(found).all():
            return math.nan
        away = self.threat.lengths(points - self.case.x.astype(np.float64))
        known = zip(self.margins, self.slopes, self.center, found.T, strict=True)
        shown = np.array([crossing(margin, slope, own, away, met) for margin, slope, own, met in known])
        radius = radius or HEADROOM * float(shown.min())
        self.met = np.maximum(self.center, found[away <= radius].max(axis=0, initial=-np.inf))
        self._keep(np.argsort(shown, kind="stable")[:CONTENDERS])
        return radius

    def batches(self, radius: float, batches: int, batch_size: int) -> Step[Numbers]:
        """Find the largest downward curvature of each batch, (batches, r). Ends with the first that has a NaN."""
        maxima: list[Numbers] = []
        counters = math.ceil(batch_size / BLOCK)  # that one batch uses
        for number in range(batches):
            largest = np.full(len(self.rivals), -np.inf)
            for points in self._ball(radius, batch_size, BATCHES + number * counters).blocks():
                found = yield from self.curvature.downward(points, self.rivals)
                largest = np.maximum(largest, found.max(axis=0))  # NaN stays
            maxima.append(largest)
            if np.isnan(largest).any():
                break
        return np.stack(maxima)

    def _ball(self, radius: float, n: int, counter: int) -> Ball:
        return Ball(self.case.x, radius, self.threat, "radial", n, self.case.stream, counter)

    def _keep(self, chosen: NDArray[np.int64]) -> None:
        for name in ("rivals", "margins", "slopes", "center", "met"):
            setattr(self, name, getattr(self, name)[chosen])
