"""The largest radius that a model's own bounds prove, for every sample of a cohort at once; or a proof at a given one.

A sample is proven within a radius where the lower bounds of all its margins, over the ball within the box, are above
zero. Bounds cost time, no queries and no gradients.

    first guess -> doubled while it is proven, halved while nothing is -> bisected

The guess is the distance to first order, the margin over its fall per unit, both read off the bounds at radius 0 and
right beside it. Any radius that was proven counts: bounds need not fall steadily, and none is inferred from another.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.asking import AskMargins, Cohort, Conversation, Owners, Region, Relaxation
from algorithms.geometry import lengths
from algorithms.results import Abstained, LowerBound
from algorithms.threat import Threat

BESIDE = 1e-6  # the radius beside 0: bounds are float64, so that even so small a fall can be read
TOLERANCE = 0.001  # a search ends where the smallest radius not proven is within 0.1 % of the largest that was
SEARCH_STEPS = 24  # one for the guess, ten to bisect a factor of two down to 0.1 %, and room for a bad guess

Numbers = NDArray[np.float64]


def run(cohort: Cohort, threat: Threat, relaxation: Relaxation, search_steps: int) -> Conversation:
    """Each sample ends in LowerBounds, the largest last, or in Abstained: `not_proven`."""
    prover = Prover(cohort, threat, relaxation)
    everyone = np.arange(len(cohort.labels))
    if threat.epsilon is None:
        yield from _search(prover, everyone, search_steps)
    else:
        radii = np.full(len(everyone), threat.epsilon)
        bounds = yield prover.ask(everyone, radii)
        for position, owner in enumerate(everyone):
            yield prover.claim(int(owner), threat.epsilon, bounds[position], steps=1)


def _search(prover: "Prover", everyone: Owners, search_steps: int) -> Conversation:
    n = len(everyone)
    at_zero = yield prover.ask(everyone, np.zeros(n))
    for owner in everyone:
        yield prover.claim(int(owner), 0.0, at_zero[owner], steps=0)
    beside = yield prover.ask(everyone, np.full(n, BESIDE))
    farthest = prover.farthest()
    radius = np.minimum(_first_order_distance(at_zero, beside), farthest)
    proven, failed = np.zeros(n), np.where((at_zero > 0).all(axis=1), np.inf, 0.0)
    for step in range(1, search_steps + 1):
        trying = np.flatnonzero((proven < farthest) & (failed > (1 + TOLERANCE) * proven))
        if not len(trying):
            return
        bounds = yield prover.ask(trying, radius[trying])
        for owner, margins in zip(trying, bounds, strict=True):
            if (margins > 0).all():
                proven[owner] = radius[owner]
                yield prover.claim(int(owner), float(radius[owner]), margins, steps=step)
            else:
                failed[owner] = radius[owner]
        radius = np.where(np.isinf(failed), np.minimum(2 * proven, farthest), (proven + failed) / 2)


def _first_order_distance(at_zero: Numbers, beside: Numbers) -> Numbers:
    """(n, r), (n, r) -> (n,): where bounds that fell on as they begin would reach zero; 1 where none falls."""
    fall = (at_zero - beside) / BESIDE
    falls = np.isfinite(fall) & (fall > 0) & (at_zero > 0)
    reach = np.where(falls, at_zero / np.where(falls, fall, 1.0), np.inf).min(axis=1)
    return np.where(np.isfinite(reach), reach, 1.0)


@dataclass(frozen=True)
class Prover:
    """Asks for the bounds of samples of a cohort, and says what they prove."""

    cohort: Cohort
    threat: Threat
    relaxation: Relaxation

    def ask(self, who: Owners, radii: Numbers) -> AskMargins:
        """Answered by lower bounds (m, r) of the margins of samples `who` (m,) within `radii` (m,)."""
        region = Region(self.cohort.x[who], radii, self.threat.norm, self.threat.box)
        return AskMargins(region, self.cohort.labels[who], self.rivals[who], self.relaxation)

    def claim(self, owner: int, radius: float, margins: Numbers, *, steps: int) -> LowerBound | Abstained:
        """From the bounds (r,) of one sample within a radius. A tie is no proof."""
        least = int(margins.argmin())
        details = {
            "relaxation": self.relaxation,
            "margin": float(margins[least]) if np.isfinite(margins[least]) else None,
            "rival": int(self.rivals[owner, least]),
            "steps": steps,
        }
        if margins[least] > 0:
            return LowerBound(radius, owner=owner, details=details)
        return Abstained("not_proven", owner=owner, details=details)

    @property
    def rivals(self) -> NDArray[np.int64]:
        """(n, r): the target, or every other class."""
        if self.cohort.targets is not None:
            return self.cohort.targets[:, None]
        return (self.cohort.labels[:, None] + np.arange(1, self.cohort.classes)) % self.cohort.classes

    def farthest(self) -> Numbers:
        """The distance (n,) of the box's farthest corner: a ball of that radius is the whole box."""
        x, box = self.cohort.x, self.threat.box
        return np.asarray(lengths(np.maximum(box.upper - x, x - box.lower), self.threat.norm))
