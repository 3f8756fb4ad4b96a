"""The largest radius that a model's own bounds prove, for every sample of a cohort at once; or a proof at a given one.

A sample is proven within a radius where the lower bounds of all its margins, over the ball within the box, are above
zero. Bounds cost time, no queries and no gradients.

    first guess -> farther while it is proven -> between the largest proven and the smallest that failed

The guess is the distance to first order, the margin over its fall per unit, both read off the bounds at radius 0 and
right beside it; hints may move it to what they say is proven, or broken. `zero.py` beside it says where to look
next. Any radius that was proven counts: bounds need not fall steadily, and none is inferred from another.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import Abstained, LowerBound
from algorithms.seam.question import Owners
from algorithms.seam.questions.margins import AskMargins, Region, Relaxation
from algorithms.searches.proofs.zero import Look, ZeroSearch
from algorithms.threats.threat import Threat

BESIDE = 1e-6  # the radius beside 0: bounds are float64, so that even so small a fall can be read
ALMOST = 1e-7  # by which the first guess stays short of where a linear margin ends
MARGINS = 2**15  # a question at the most: with thousands of classes a chunk's samples are many beats, not one long one
SEARCH_STEPS = 24  # two for a linear model, four to a dozen for a network, and room for a bad guess


def run(cohort: Cohort, threat: Threat, relaxation: Relaxation, search_steps: int) -> Conversation:
    """End each sample in LowerBounds, the largest last; with an epsilon not proven in Abstained: `not_proven`."""
    prover = Prover(cohort, threat, relaxation)
    if threat.epsilon is None:
        yield from _search(prover, prover.everyone, search_steps)
    else:
        yield from prover.answer_at(threat.epsilon)


def _search(prover: "Prover", everyone: Owners, search_steps: int) -> Conversation:
    n = len(everyone)
    at_zero = yield from prover.bounds(everyone, np.zeros(n))
    for owner in everyone:
        yield prover.claim(int(owner), 0.0, at_zero[owner], steps=0)
    beside = yield from prover.bounds(everyone, np.full(n, BESIDE))
    farthest = prover.farthest()
    first = np.clip(_first_order_distance(at_zero, beside), prover.cohort.proven, prover.cohort.reached)
    guesses = np.minimum((1 - ALMOST) * first, farthest)
    searches = {
        int(owner): ZeroSearch(
            farthest=float(farthest[owner]),
            next=float(guesses[owner]),
            newest=Look(0.0, float(at_zero[owner].min())),
            before=Look(BESIDE, float(beside[owner].min())),
        )
        for owner in np.flatnonzero((at_zero > 0).all(axis=1))
    }
    yield from close_in(prover, searches, range(1, search_steps + 1))


def close_in(prover: "Prover", searches: dict[int, ZeroSearch], steps: Iterable[int]) -> Conversation:
    """Look where the searches of some samples say next, all in step, and claim what is proven."""
    for step in steps:
        trying = np.array([owner for owner, search in searches.items() if not search.is_over], np.int64)
        if not len(trying):
            return
        bounds = yield from prover.bounds(trying, np.array([searches[int(owner)].next for owner in trying]))
        for owner, margins in zip(trying.tolist(), bounds, strict=True):
            if margins.min() > 0:
                yield prover.claim(owner, searches[owner].next, margins, steps=step)
            searches[owner] = searches[owner].after(float(margins.min()))


def _first_order_distance(at_zero: Numbers, beside: Numbers) -> Numbers:
    reach = first_order_distance(at_zero, beside)
    return np.where(np.isfinite(reach), reach, 1.0)


def first_order_distance(at_zero: Numbers, beside: Numbers) -> Numbers:
    """Find where (n,) bounds (n, r) that fell on as they begin would reach zero; inf where none falls."""
    fall = (at_zero - beside) / BESIDE
    falls = np.isfinite(fall) & (fall > 0) & (at_zero > 0)
    return np.asarray(np.where(falls, at_zero / np.where(falls, fall, 1.0), np.inf).min(axis=1))


@dataclass(frozen=True)
class Prover:
    """A prover asks for the bounds of a cohort's samples, and says what they prove."""

    cohort: Cohort
    threat: Threat
    relaxation: Relaxation

    @property
    def everyone(self) -> Owners:
        return np.arange(len(self.cohort.labels))

    def answer_at(self, epsilon: float) -> Conversation:
        """Claim of every sample whether it is proven at a given radius."""
        bounds = yield from self.bounds(self.everyone, np.full(len(self.cohort.labels), epsilon))
        for owner, margins in enumerate(bounds):
            yield self.claim(owner, epsilon, margins, steps=1)

    def bounds(self, who: Owners, radii: Numbers) -> Step[Numbers]:
        """Ask for lower bounds (m, r) of the margins of samples `who` (m,) within `radii` (m,), a few at a time."""
        step = max(1, MARGINS // self.rivals.shape[1])
        found = []
        for part in (slice(start, start + step) for start in range(0, len(who), step)):
            found.append((yield from self._ask(who[part], radii[part])))
        return np.concatenate(found)

    def _ask(self, who: Owners, radii: Numbers) -> Step[Numbers]:
        region = Region(self.cohort.x[who], radii, self.threat)
        return (yield from AskMargins(region, self.cohort.labels[who], self.rivals[who], self.relaxation))

    @property
    def way(self) -> str:
        """Name the way that bounds are found."""
        return self.relaxation

    def claim(self, owner: int, radius: float, margins: Numbers, *, steps: int) -> LowerBound | Abstained:
        """Claim what the bounds (r,) of one sample prove within a radius. A tie is no proof; radius 0 needs none."""
        least = int(margins.argmin())
        details = {
            "relaxation": self.way,
            "margin": float(margins[least]) if np.isfinite(margins[least]) else None,
            "rival": int(self.rivals[owner, least]),
            "steps": steps,
        }
        if margins[least] > 0 or radius == 0:
            return LowerBound(radius, owner=owner, details=details)
        return Abstained("not_proven", owner=owner, details=details)

    @property
    def rivals(self) -> NDArray[np.int64]:
        """List the classes (n, r) that must not win: the target, or every other."""
        if self.cohort.targets is not None:
            return self.cohort.targets[:, None]
        return (self.cohort.labels[:, None] + np.arange(1, self.cohort.classes)) % self.cohort.classes

    def farthest(self) -> Numbers:
        """Measure the distance (n,) of the farthest valid input: a ball of that radius is all there is."""
        return np.asarray(self.threat.farthest(self.cohort.x))
