"""Asking where points stand that move under a hinge, and keeping the best of those that are adversarial."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Array, Mask, Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Step
from algorithms.seam.question import Owners
from algorithms.seam.questions.gradients import AskGradient
from algorithms.searches.penalties.hinge import Hinge
from algorithms.searches.tallies.successes import Successes, on_host
from algorithms.searches.tallies.vanishing import Vanishing

NEARER = 0.999  # a success is worth a query where it has less than this share of what the last one had


@dataclass
class Sounding:
    """A sounding is a cohort's; `best` (n,) are the least measures of all successes so far, whatever is measured."""

    successes: Successes
    best: Numbers = field(init=False)
    vanishing: Vanishing = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.successes.cohort.labels)
        self.best, self.vanishing = np.full(n, np.inf), Vanishing(n)

    def going(self) -> Owners:
        """Name who is neither spent, nor broken within epsilon, nor held by gradients that are all zero."""
        epsilon = self.successes.threat.epsilon
        within = np.zeros(len(self.best), np.bool_) if epsilon is None else self.successes.distance <= epsilon
        return np.flatnonzero(self.successes.cohort.live & ~within & ~self.vanishing.always)

    def ask(self, owners: Owners, points: Rows, hinge: Hinge) -> Step[tuple[Array, NDArray[np.float64]]]:
        """Ask for scores at points (m, d), and for the slopes (m, d) of f: 0 where they are no numbers."""

        def cotangent(scores: Array, positions: Owners) -> Array:
            return hinge.derivative(scores, owners[positions])

        shaped = self.successes.shaped(points)
        scores, slopes = yield from AskGradient(shaped, owners, cotangent=cotangent)
        flat: NDArray[Any] = np.reshape(on_host(slopes), points.shape).astype(np.float64)
        flat = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
        short = hinge.values(scores, owners) > 0  # elsewhere there is nothing to climb
        self.vanishing.see(owners[short], flat[short])
        return scores, flat

    def keep(
        self, owners: Owners, points: Rows, measures: Numbers, scores: Array, confidence: float = 0.0
    ) -> Step[Mask]:
        """Claim the points that are adversarial and better than all before; tell which (m,) are adversarial."""
        through: Mask = self.successes.margin(scores, owners) > confidence
        better = np.flatnonzero(through & (measures < NEARER * self.best[owners]))
        if len(better):
            held = yield from self.successes.confirm(owners[better], points[better], np.ones(len(better), np.bool_))
            through[better] = held
            held_ones = better[held]
            self.best[owners[held_ones]] = measures[held_ones]
            yield from self.successes.claim(owners[held_ones], points[held_ones])
        return through
