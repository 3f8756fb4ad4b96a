"""Steepest ascent of a whole cohort on a loss, each sample within its own ball, kept in the box by exact projection.

An untargeted loss follows whichever rival leads at the moment and may walk past a nearer boundary, even on a linear
model. So the first climb goes towards the rival that is nearest to first order. The second follows the loss, from a
random point: at the sample itself a defended model may have no useful gradient.
"""

from dataclasses import dataclass, field

import numpy as np
from array_api_compat import array_namespace

from algorithms.mathematics.arrays import Array, Mask, Numbers
from algorithms.mathematics.losses import LossName, derivative
from algorithms.seam.access import Labels
from algorithms.seam.case import Cohort, Step
from algorithms.seam.question import Owners
from algorithms.seam.questions.gradients import AskGradient, GradientQuestion
from algorithms.searches.boundaries.first_order import rank_rivals
from algorithms.searches.tallies.stationarity import Stationarity
from algorithms.searches.tallies.successes import Successes
from algorithms.threats.threat import Threat


@dataclass
class Climb:
    """A climb holds the arrays of a cohort under attack: flat rows (n, d), and in numpy one number a sample."""

    cohort: Cohort
    threat: Threat
    loss: LossName
    steps: int  # of one climb
    restarts: int  # climbs at each radius
    step_size: float  # the first step over the radius
    question: type[GradientQuestion] = AskGradient  # whose gradients are climbed
    successes: Successes = field(init=False)

    def __post_init__(self) -> None:
        self.successes = Successes(self.cohort, self.threat)
        self.x, self.threat, n = self.successes.x, self.successes.threat, len(self.cohort.labels)
        self.stationarity = Stationarity(n)
        self.draws = np.zeros(n, np.int64)  # random starts so far: each stream's counter

    def rank_rivals(self) -> Step[Numbers]:
        """Fill `rivals`, nearest first to first order (targeted: the target alone); return the nearest's distances."""
        ranked = yield from rank_rivals(self.successes, self.question)
        self.rivals = ranked.rivals
        return ranked.distance

    def at_radius(self, radius: Numbers, wanted: Mask) -> Step[Mask]:
        """Climb within each sample's radius; returns the mask (n,) of those that got through."""
        won = np.zeros(len(radius), np.bool_)
        for restart in range(self.restarts):
            trying = np.flatnonzero(wanted & ~won & self.cohort.live)
            if not len(trying):
                break
            start = self._start(trying, radius[trying], restart)
            won[(yield from self._climb(trying, start, radius[trying], self._aims(restart)))] = True
        return won

    def _start(self, trying: Owners, radius: Numbers, restart: int) -> Array:
        """First from the nearest success, or the sample where there is none; then from random points."""
        if restart == 0:
            return self.successes.project(self.successes.nearest[trying], trying, radius)
        xp = array_namespace(self.x)
        rngs = [self.cohort.streams[i].at(int(self.draws[i])) for i in trying]
        offsets = [
            self.threat.draw_in_ball(rng, 1, self.successes.shape, radius=r, law="uniform")
            for rng, r in zip(rngs, radius, strict=True)
        ]
        self.draws[trying] += 1
        drawn = xp.asarray(np.concatenate(offsets).reshape(len(trying), -1), device=self.x.device)
        return self.successes.project(self.x[trying] + drawn, trying, radius)

    def _aims(self, restart: int) -> Labels | None:
        """The class (n,) that a climb goes towards; None: wherever the loss leads."""
        if self.cohort.targets is not None:
            return self.cohort.targets
        if restart == 1:
            return None
        return self.rivals[:, max(0, restart - 1) % self.rivals.shape[1]]

    def _climb(self, trying: Owners, points: Array, radius: Numbers, aims: Labels | None) -> Step[list[int]]:
        """Returns which of `trying` (positions in the cohort) became adversarial; claims them on the way."""
        won: list[int] = []
        for step in range(self.steps):
            scores, slopes = yield from self._ask_gradient(points, trying, aims)
            through = yield from self.successes.confirm(trying, points, self.successes.margin(scores, trying) > 0)
            self.stationarity.see(trying, points - self.x[trying], slopes, radius, self.threat)
            won += yield from self.successes.pull_back(trying[through], points[through])
            stay = np.flatnonzero(~through & self.cohort.live[trying])
            if not len(stay):
                return won
            trying, points, slopes, radius = trying[stay], points[stay], slopes[stay], radius[stay]
            points = self._ascend(trying, points, slopes, radius, step)
        scores = yield from self.successes.ask(points, trying)
        through = self.successes.margin(scores, trying) > 0
        won += yield from self.successes.pull_back(trying[through], points[through])
        return won

    def _ascend(self, trying: Owners, points: Array, slopes: Array, radius: Numbers, step: int) -> Array:
        """One step of steepest ascent in the norm, then back onto ball and box."""
        xp = array_namespace(points)
        length = self.step_size * radius * (1 + np.cos(np.pi * step / self.steps)) / 2
        direction = self.threat.ascent_direction(xp.reshape(slopes, points.shape))
        return self.successes.project(points + direction * self.successes.like(length)[:, None], trying, radius)

    def _ask_gradient(self, points: Array, owners: Owners, aims: Labels | None) -> GradientQuestion:
        def cotangent(scores: Array, positions: Owners) -> Array:
            these = owners[positions]
            return derivative(
                self.loss, scores, *self.successes.classes(scores, these, None if aims is None else aims[these])
            )

        return self.question(self.successes.shaped(points), owners, cotangent=cotangent)
