"""Steepest ascent of a whole cohort on a loss, each sample within its own ball, kept in the box by exact projection.

An untargeted loss follows whichever rival leads at the moment and may walk past a nearer boundary, even on a linear
model. So the first climb goes towards the rival that is nearest to first order. The second follows the loss, from a
random point: at the sample itself a defended model may have no useful gradient.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Array, Mask, Numbers
from algorithms.mathematics.losses import LossName, adversarial_margin, derivative, one_hot
from algorithms.seam.access import Labels
from algorithms.seam.case import Cohort, Step
from algorithms.seam.claims import UpperBound
from algorithms.seam.question import Owners
from algorithms.seam.questions.gradients import AskGradient, GradientQuestion
from algorithms.seam.questions.scores import AskScores
from algorithms.seam.threat import Threat
from algorithms.searches.line import Segment, halve

HALVINGS = 8  # of the segment from the sample to a success: 1/256 of its length
RIVALS = 9  # whose distance is looked up to first order: those with the largest scores (AutoAttack's number of targets)


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
    distance: Numbers = field(init=False)  # of the nearest success so far

    def __post_init__(self) -> None:
        xp = array_namespace(self.cohort.x)
        n = self.cohort.x.shape[0]
        self.shape = tuple(self.cohort.x.shape[1:])
        self.x: Array = xp.reshape(self.cohort.x, (n, -1))
        self.threat = self.threat.arranged(
            lambda side: xp.reshape(xp.broadcast_to(xp.asarray(side, device=self.x.device), self.shape), (1, -1))
        )
        self.nearest = xp.asarray(self.x, copy=True)  # the nearest success so far; the sample where there is none
        self.distance = np.full(n, np.inf)
        self.stationarity = np.full(n, np.nan)
        self.draws = np.zeros(n, np.int64)  # random starts so far: each stream's counter
        self.zero_gradients = np.zeros(n, np.int64)
        self.climbed = np.zeros(n, np.int64)

    def rank_rivals(self) -> Step[Numbers]:
        """Rank the leading rivals by their distance to first order, (f_y - f_j) / ||grad(f_y - f_j)||_q at the sample.

        Fills `rivals`, nearest first (targeted: the target alone), and returns the smallest distances (n,).
        """
        leading = self._leading_rivals()  # (n, m)
        n, m = leading.shape
        owners, rivals = np.repeat(np.arange(n), m), leading.reshape(-1)

        def gap(scores: Array, positions: Owners) -> Array:
            labels, aims = self._classes(scores, owners[positions], rivals[positions])
            return one_hot(aims, scores) - one_hot(labels, scores)

        scores, slopes = yield from self.question(self._shaped(self.x[owners]), owners, cotangent=gap)
        steep = _host(self.threat.dual_lengths(slopes))
        z = _host(scores).astype(np.float64)
        behind = z[np.arange(n * m), self.cohort.labels[owners]] - z[np.arange(n * m), rivals]
        away = np.where(steep > 0, behind / np.where(steep > 0, steep, 1.0), np.inf).reshape(n, m)
        self.rivals = np.take_along_axis(leading, np.argsort(away, axis=1, kind="stable"), axis=1)
        nearest = away.min(axis=1)
        return np.where(np.isfinite(nearest), np.maximum(nearest, 1e-6), 1.0)

    def _leading_rivals(self) -> NDArray[np.int64]:
        """(n, m) classes with the largest clean scores beside the label; (n, 1) the targets."""
        if self.cohort.targets is not None:
            return self.cohort.targets[:, None]
        scores = _host(self.cohort.scores).astype(np.float64)
        scores[np.arange(len(scores)), self.cohort.labels] = -np.inf
        return np.argsort(-scores, axis=1, kind="stable")[:, : min(RIVALS, scores.shape[1] - 1)]

    def farthest(self) -> Numbers:
        """Measure the largest distance (n,) that is valid: nothing beyond is worth trying."""
        return _host(self.threat.farthest(self.x))

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
            return self._project(self.nearest[trying], trying, radius)
        xp = array_namespace(self.x)
        rngs = [self.cohort.streams[i].at(int(self.draws[i])) for i in trying]
        offsets = [
            self.threat.draw_in_ball(rng, 1, self.shape, radius=r, law="uniform")
            for rng, r in zip(rngs, radius, strict=True)
        ]
        self.draws[trying] += 1
        drawn = xp.asarray(np.concatenate(offsets).reshape(len(trying), -1), device=self.x.device)
        return self._project(self.x[trying] + drawn, trying, radius)

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
            through = yield from self._confirm(trying, points, self._margin(scores, trying) > 0)
            self._diagnose(trying, points, slopes, radius)
            won += yield from self._halve_back(trying[through], points[through])
            stay = np.flatnonzero(~through & self.cohort.live[trying])
            if not len(stay):
                return won
            trying, points, slopes, radius = trying[stay], points[stay], slopes[stay], radius[stay]
            points = self._ascend(trying, points, slopes, radius, step)
        scores = yield from self._ask(points, trying)
        through = self._margin(scores, trying) > 0
        won += yield from self._halve_back(trying[through], points[through])
        return won

    def _confirm(self, trying: Owners, points: Array, through: Mask) -> Step[Mask]:
        """Which of the points that seem to be `through` are so to the model that is queried.

        Gradients come from another runtime than labels and scores do; near the boundary the two may disagree.
        """
        seeming = np.flatnonzero(through)
        if len(seeming):
            scores = yield from self._ask(points[seeming], trying[seeming])
            through[seeming] = self._margin(scores, trying[seeming]) > 0
        return through

    def _ascend(self, trying: Owners, points: Array, slopes: Array, radius: Numbers, step: int) -> Array:
        """One step of steepest ascent in the norm, then back onto ball and box."""
        xp = array_namespace(points)
        length = self.step_size * radius * (1 + np.cos(np.pi * step / self.steps)) / 2
        direction = self.threat.ascent_direction(xp.reshape(slopes, points.shape))
        return self._project(points + direction * self._like(length)[:, None], trying, radius)

    def _halve_back(self, trying: Owners, points: Array) -> Step[list[int]]:
        """Claim the points, and all adversarial ones met on halving the segments to the samples. Returns `trying`."""
        if not len(trying):
            return []

        def ask(between: Array) -> Step[Mask]:
            scores = yield from self._ask(between, trying)
            through = self._margin(scores, trying) > 0
            yield from self._claim(trying[through], between[through])
            return through

        yield from self._claim(trying, points)
        segments = Segment(self.x[trying], points, self.threat, precision=np.float64)
        yield from halve(segments, ask, halvings=HALVINGS, lines=len(trying))
        return [int(owner) for owner in trying]

    def _claim(self, winners: Owners, points: Array) -> Step[None]:
        if not len(winners):
            return
        away = _host(self.threat.lengths(points - self.x[winners]))
        for i, r, point in zip(winners, away, points, strict=True):
            if r < self.distance[i] and self.cohort.live[i]:
                self.distance[i], self.nearest[i] = r, point
                yield UpperBound(_host(point).reshape(self.shape), int(i))

    def _ask(self, points: Array, owners: Owners) -> AskScores:
        return AskScores(self._shaped(points), owners)

    def _ask_gradient(self, points: Array, owners: Owners, aims: Labels | None) -> GradientQuestion:
        def cotangent(scores: Array, positions: Owners) -> Array:
            these = owners[positions]
            return derivative(self.loss, scores, *self._classes(scores, these, None if aims is None else aims[these]))

        return self.question(self._shaped(points), owners, cotangent=cotangent)

    def _classes(self, scores: Array, owners: Owners, aims: Labels | None) -> tuple[Array, Array | None]:
        """Labels of these samples and the classes aimed at, where the scores are."""
        xp = array_namespace(scores)
        labels = xp.asarray(self.cohort.labels[owners], device=scores.device)
        return labels, None if aims is None else xp.asarray(aims, device=scores.device)

    def _margin(self, scores: Array, owners: Owners) -> Numbers:
        targets = self.cohort.targets
        classes = self._classes(scores, owners, None if targets is None else targets[owners])
        return _host(adversarial_margin(scores, *classes))

    def _project(self, points: Array, trying: Owners, radius: Numbers) -> Array:
        return self.threat.project(points, self.x[trying], self._like(radius))

    def _shaped(self, points: Array) -> Array:
        return array_namespace(points).reshape(points, (points.shape[0], *self.shape))

    def _like(self, numbers: Numbers) -> Array:
        return array_namespace(self.x).asarray(numbers, device=self.x.device)

    def _diagnose(self, trying: Owners, points: Array, slopes: Array, radius: Numbers) -> None:
        """First-order stationarity (Wang et al., ICML 2019): how much a linear model would still gain, as a share.

        FOSC = r ||g||_q - <x_t - x, g>, over r ||g||_q: 0 at a stationary point of the ball, 1 at the sample.
        """
        xp = array_namespace(points)
        flat = xp.reshape(slopes, points.shape)
        reach = radius * _host(self.threat.dual_lengths(flat))
        gained = _host(xp.sum(xp.astype((points - self.x[trying]) * flat, xp.float64), axis=1))
        self.stationarity[trying] = np.where(reach > 0, 1 - gained / np.where(reach > 0, reach, 1.0), 0.0)
        self.zero_gradients[trying] += ~(reach > 0)  # NaN leads no more than 0 does
        self.climbed[trying] += 1

    def diagnostics(self, owner: int) -> dict[str, Any]:
        """Tell how stationary one sample's last point was, and how often its gradient was zero."""
        fosc = self.stationarity[owner]
        return {
            "fosc": None if np.isnan(fosc) else float(fosc),
            "zero_gradient_share": float(self.zero_gradients[owner] / max(1, self.climbed[owner])),
        }


def _host(array: Array) -> NDArray[Any]:
    """The array where numpy can read it."""
    return np.asarray(array if isinstance(array, np.ndarray) else array.cpu())
