"""Projected gradient descent: climb a loss by steepest ascent, projected onto the ball and the box after every step.

At a given radius it asks whether an adversarial point lies within. Without one it searches the smallest radius at
which the climb still succeeds: doubling until it does, then bisection, each success pulled back towards the sample.
All samples of a cohort climb together, each by its own radius, and leave as soon as they are adversarial.

Madry et al., ICLR 2018. Departures: the step falls as a cosine instead of staying constant, so that no step size has
to be tuned to the number of steps; in l1 the projection is exact on ball and box (Croce & Hein, ICML 2021, show what
ignoring the box costs), which makes the raw gradient a good direction without choosing how many features to move.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray
from pydantic import Field

from algorithms.asking import Answer, Ask, AskGradient, Cohort, Conversation, Question
from algorithms.geometry import lengths
from algorithms.losses import LossName, adversarial_margin, derivative
from algorithms.parameters import Cost
from algorithms.parameters import Params as BaseParams
from algorithms.projections import project
from algorithms.results import Claim, Note, UpperBound
from algorithms.threat import Norm, Threat

PULL_BACK_STEPS = 8  # halvings of the segment from the sample to a success: 1/256 of its length
TOLERANCE = 0.01  # a search ends where the smallest success is within 1 % of the largest failure

Array = Any  # (n, d), numpy or torch: what the cohort is made of
Mask = NDArray[np.bool_]  # (n,)
Numbers = NDArray[np.float64]  # (n,)
Step = Generator[Question | Claim, Answer, Any]


class Params(BaseParams):
    name: Literal["pgd"] = "pgd"
    loss: LossName = Field("margin", description="what is climbed; cross_entropy vanishes on confident models")
    steps: int = Field(40, ge=1, le=10_000, description="gradient steps of one climb")
    restarts: int = Field(1, ge=1, le=100, description="climbs at each radius: the first from the sample, then random")
    step_size: float = Field(0.5, gt=0, le=4, description="first step over the radius; falls to 0 as a cosine")
    search_steps: int = Field(12, ge=1, le=40, description="radii tried where no epsilon is given")


def minimum(params: Params, threat: Threat) -> Cost:
    """Clean row, one look at the end of a climb and the final re-query; one climb."""
    del threat
    return Cost(queries=3, gradients=params.steps)


def run(cohort: Cohort, threat: Threat, params: Params) -> Conversation:
    climb = Climb(cohort, threat, params)
    if threat.epsilon is not None:
        everyone = np.ones(len(cohort.live), np.bool_)
        yield from climb.at_radius(np.full(len(everyone), threat.epsilon), everyone)
    else:
        yield from _search(climb)
    for owner in np.flatnonzero(cohort.live):
        yield Note(climb.diagnostics(int(owner)), int(owner))


def _search(climb: "Climb") -> Step:
    """The smallest radius at which a climb succeeds, sample by sample: doubling, then bisection."""
    radius = yield from climb.first_order_distance()
    farthest = climb.farthest()
    radius = np.minimum(radius, farthest)
    failed, found = np.zeros_like(radius), np.full_like(radius, np.inf)
    wanted = np.ones(len(radius), np.bool_)
    for _ in range(climb.params.search_steps):
        won = yield from climb.at_radius(radius, wanted)
        found = np.where(won, np.minimum(found, climb.distance), found)
        failed = np.where(wanted & ~won, radius, failed)
        hopeless = ~np.isfinite(found) & (failed >= farthest)
        wanted = wanted & ~hopeless & (failed < (1 - TOLERANCE) * found)
        if not wanted.any():
            return
        radius = np.where(np.isfinite(found), (failed + found) / 2, np.minimum(2 * radius, farthest))


@dataclass
class Climb:
    """The arrays of a cohort under attack. Flat rows (n, d); bookkeeping of one number a sample stays in numpy."""

    cohort: Cohort
    threat: Threat
    params: Params
    distance: Numbers = field(init=False)  # of the nearest success so far
    draws: int = 0  # random starts drawn so far: the streams' counter

    def __post_init__(self) -> None:
        xp = array_namespace(self.cohort.x)
        n = self.cohort.x.shape[0]
        self.shape = tuple(self.cohort.x.shape[1:])
        self.x: Array = xp.reshape(self.cohort.x, (n, -1))
        self.lower, self.upper = (
            xp.reshape(xp.broadcast_to(xp.asarray(side, device=self.x.device), self.shape), (1, -1))
            for side in (self.threat.box.lower, self.threat.box.upper)
        )
        self.nearest = xp.asarray(self.x, copy=True)  # the nearest success so far; the sample where there is none
        self.distance = np.full(n, np.inf)
        self.stationarity = np.full(n, np.nan)
        self.zero_gradients = np.zeros(n, np.int64)
        self.climbed = np.zeros(n, np.int64)

    def first_order_distance(self) -> Step:
        """margin / ||gradient||_q at the sample: where a linear model would flip. A first guess of the radius."""
        everyone = np.flatnonzero(self.cohort.live)
        scores, slopes = yield self._ask_gradient(self.x[everyone], everyone, "margin")
        guess = np.ones(len(self.distance))
        steep = _host(lengths(slopes, self.threat.norm.dual))
        margin = -self._margin(scores, everyone)
        guess[everyone] = np.where(steep > 0, margin / np.where(steep > 0, steep, 1.0), 1.0)
        return np.maximum(guess, 1e-6)

    def farthest(self) -> Numbers:
        """The largest distance the box allows: nothing beyond is worth trying."""
        xp = array_namespace(self.x)
        return _host(lengths(xp.maximum(self.upper - self.x, self.x - self.lower), self.threat.norm))

    def at_radius(self, radius: Numbers, wanted: Mask) -> Step:
        """Climb within each sample's radius; returns the mask (n,) of those that got through."""
        won = np.zeros(len(radius), np.bool_)
        for restart in range(self.params.restarts):
            trying = np.flatnonzero(wanted & ~won & self.cohort.live)
            if not len(trying):
                break
            start = self._start(trying, radius[trying], restart)
            won[(yield from self._climb(trying, start, radius[trying]))] = True
        return won

    def _start(self, trying: NDArray[np.int64], radius: Numbers, restart: int) -> Array:
        """From the nearest success (or the sample) first, then from random points of the ball."""
        if restart == 0:
            return self._project(self.nearest[trying], trying, radius)
        from algorithms.geometry import sample_ball

        xp = array_namespace(self.x)
        self.draws += 1
        offsets = [
            sample_ball(self.cohort.streams[i].at(self.draws), 1, self.shape, norm=self.threat.norm, radius=r, law="uniform")
            for i, r in zip(trying, radius, strict=True)
        ]
        drawn = xp.asarray(np.concatenate(offsets).reshape(len(trying), -1), device=self.x.device)
        return self._project(self.x[trying] + drawn, trying, radius)

    def _climb(self, trying: NDArray[np.int64], points: Array, radius: Numbers) -> Step:
        """Returns which of `trying` (positions in the cohort) became adversarial; claims them on the way."""
        won: list[int] = []
        for step in range(self.params.steps):
            scores, slopes = yield self._ask_gradient(points, trying, self.params.loss)
            through = self._margin(scores, trying) > 0
            self._diagnose(trying, points, slopes, radius)
            won += yield from self._pull_back(trying[through], points[through])
            stay = np.flatnonzero(~through & self.cohort.live[trying])
            if not len(stay):
                return won
            trying, points, slopes, radius = trying[stay], points[stay], slopes[stay], radius[stay]
            points = self._ascend(trying, points, slopes, radius, step)
        scores = yield self._ask(points, trying)
        through = self._margin(scores, trying) > 0
        won += yield from self._pull_back(trying[through], points[through])
        return won

    def _ascend(self, trying: NDArray[np.int64], points: Array, slopes: Array, radius: Numbers, step: int) -> Array:
        """One step of steepest ascent in the norm, then back onto ball and box."""
        xp = array_namespace(points)
        length = self.params.step_size * radius * (1 + np.cos(np.pi * step / self.params.steps)) / 2
        flat = xp.astype(xp.reshape(slopes, points.shape), xp.float64)
        if self.threat.norm is Norm.LINF:
            direction = xp.sign(flat)
        else:  # l1 climbs the raw gradient: the exact projection keeps the steepest features by itself
            size = lengths(flat, Norm.L2 if self.threat.norm is Norm.L2 else Norm.LINF)
            direction = flat / xp.where(size > 0, size, xp.ones_like(size))[:, None]
        return self._project(points + direction * self._like(length)[:, None], trying, radius)

    def _pull_back(self, trying: NDArray[np.int64], points: Array) -> Step:
        """Halve the way back to the sample while it stays adversarial; claim every point that is. Returns `trying`."""
        if not len(trying):
            return []
        yield from self._claim(trying, points)
        origin, low, high = self.x[trying], np.zeros(len(trying)), np.ones(len(trying))
        for _ in range(PULL_BACK_STEPS):
            middle = (low + high) / 2
            xp = array_namespace(points)
            between = xp.astype(origin + (points - origin) * self._like(middle)[:, None], xp.float32)
            between = xp.minimum(xp.maximum(between, self.lower), self.upper)
            scores = yield self._ask(between, trying)
            through = self._margin(scores, trying) > 0
            low, high = np.where(through, low, middle), np.where(through, middle, high)
            yield from self._claim(trying[through], between[through])
        return trying.tolist()

    def _claim(self, winners: NDArray[np.int64], points: Array) -> Step:
        away = _host(lengths(points - self.x[winners], self.threat.norm)) if len(winners) else []
        for i, r, point in zip(winners, away, points, strict=True):
            if r < self.distance[i] and self.cohort.live[i]:
                self.distance[i], self.nearest[i] = r, point
                yield UpperBound(_host(point).reshape(self.shape), int(i))

    def _ask(self, points: Array, owners: NDArray[np.int64]) -> Ask:
        return Ask(self._shaped(points), owners)

    def _ask_gradient(self, points: Array, owners: NDArray[np.int64], loss: LossName) -> AskGradient:
        def cotangent(scores: Array, positions: NDArray[np.int64]) -> Array:
            return derivative(loss, scores, *self._classes(scores, owners[positions]))

        return AskGradient(self._shaped(points), cotangent, owners)

    def _classes(self, scores: Array, owners: NDArray[np.int64]) -> tuple[Array, Array | None]:
        """Labels and targets of these samples, where the scores are."""
        xp = array_namespace(scores)
        targets = self.cohort.targets
        return (
            xp.asarray(self.cohort.labels[owners], device=scores.device),
            None if targets is None else xp.asarray(targets[owners], device=scores.device),
        )

    def _margin(self, scores: Array, owners: NDArray[np.int64]) -> Numbers:
        return _host(adversarial_margin(scores, *self._classes(scores, owners)))

    def _project(self, points: Array, trying: NDArray[np.int64], radius: Numbers) -> Array:
        return project(points, self.x[trying], self._like(radius), self.threat.norm, self.lower, self.upper)

    def _shaped(self, points: Array) -> Array:
        return array_namespace(points).reshape(points, (points.shape[0], *self.shape))

    def _like(self, numbers: Numbers) -> Array:
        return array_namespace(self.x).asarray(numbers, device=self.x.device)

    def _diagnose(self, trying: NDArray[np.int64], points: Array, slopes: Array, radius: Numbers) -> None:
        """First-order stationarity (Wang et al., ICML 2019): how much a linear model would still gain, as a share.

        FOSC = r ||g||_q - <x_t - x, g>, over r ||g||_q: 0 at a stationary point of the ball, 1 at the sample.
        """
        xp = array_namespace(points)
        flat = xp.reshape(slopes, points.shape)
        reach = radius * _host(lengths(flat, self.threat.norm.dual))
        gained = _host(xp.sum(xp.astype((points - self.x[trying]) * flat, xp.float64), axis=1))
        self.stationarity[trying] = np.where(reach > 0, 1 - gained / np.where(reach > 0, reach, 1.0), 0.0)
        self.zero_gradients[trying] += reach == 0
        self.climbed[trying] += 1

    def diagnostics(self, owner: int) -> dict[str, Any]:
        fosc = self.stationarity[owner]
        return {
            "fosc": None if np.isnan(fosc) else float(fosc),
            "zero_gradient_share": float(self.zero_gradients[owner] / max(1, self.climbed[owner])),
        }


def _host(array: Array) -> NDArray[Any]:
    """The array where numpy can read it."""
    return np.asarray(array if isinstance(array, np.ndarray) else array.cpu())
