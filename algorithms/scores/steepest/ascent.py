"""The way to steeper gradients, also where the second derivative is zero wherever there is one.

The norm ||grad g(y)||_q rises along H u, with H the Hessian of g, and u the direction in which g itself rises most
steeply. A network of piecewise linear parts has H = 0 almost everywhere, so the product is taken over a length on the
scale of the ball,

    D = grad g(y + k u) - grad g(y - k u)

where each part whose kink lies between the two points counts by what it adds to the slope. A climber asks three
gradients a step, at y and at both ends, and all three are slopes met. Climbers differ in k, in the length of their
steps, and in where they begin: at the sample itself, at the rim of the ball, and only where there are many of them at
random points, which in many dimensions lead nowhere: what is left to chance varies. A round of climbs begins at what is
best, for each rival, of all that the last one ended at. One climber in four goes down the margin instead, since what it
loses on the way to another class is a slope as well.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Array, Mask, Numbers
from algorithms.mathematics.losses import one_hot
from algorithms.mathematics.norms import Norm
from algorithms.scores.steepest.steepness import Steepness
from algorithms.seam.case import Case, Step
from algorithms.seam.questions.gradients import AskGradient
from algorithms.threats.threat import Threat

PROBES = np.array([0.3, 0.15, 0.3, 0.5])  # k over the radius at the beginning of a round, climber by climber
STRIDES = np.array([1.0, 0.5])  # length of a step over the radius at the beginning of a round, likewise
LAST_PROBE, LAST_STRIDE = 0.02, 0.03  # at its end
DOWN, AHEAD = 2, 3  # of four climbers of a rival: goes down the margin; begins where that ends if it is straight
RANDOM = 8  # climbers of a rival after so many begin at random points of the ball
KEPT = 3  # of the ends of as many climbs one is remembered

Positions = NDArray[np.int64]  # among the rivals


@dataclass
class Ascent:
    """An ascent looks for the steepest slopes of one sample's margins."""

    case: Case
    threat: Threat
    rivals: NDArray[np.int64]  # (r,)
    slopes: Steepness
    climbers: int
    steps: int  # in a round
    nonsense: int = 0  # answers so far that held a number that is not finite
    draws: int = 0  # so far: the stream's counter
    tops: Numbers | None = None  # (t, d) where the best climbs of the last round ended

    def __post_init__(self) -> None:
        shape = self.case.x.shape
        self.x: Numbers = self.case.x.reshape(1, -1).astype(np.float64)
        self.threat = self.threat.arranged(lambda side: np.broadcast_to(side, shape).reshape(1, -1))
        assert self.case.scores is not None
        self.size = float(np.abs(self.case.scores).max())

    def is_finite(self) -> bool:
        """Tell whether scores and gradients were finite numbers at every point so far."""
        return self.nonsense == 0

    def look(self, rows: Numbers, aims: Positions) -> Step[Numbers]:
        """Take the gradients (m, d) of the margins of rivals `aims` (m,) at valid rows (m, d), and note all slopes."""
        label, rivals = self.case.label, self.rivals

        def margin(scores: Array, positions: NDArray[np.int64]) -> Array:
            own = np.full(len(positions), label)
            return one_hot(own, scores) - one_hot(rivals[aims[positions]], scores)

        shaped = rows.astype(np.float32).reshape(-1, *self.case.x.shape)
        scores, gradients = yield from AskGradient(shaped, cotangent=margin)
        z, flat = scores.astype(np.float64), gradients.reshape(len(rows), -1).astype(np.float64)
        if not (np.isfinite(flat).all() and np.isfinite(z).all()):
            self.nonsense += 1
        else:
            self.size = max(self.size, float(np.abs(z).max()))
            away, there = self.threat.lengths(rows - self.x), z[:, [label]] - z[:, rivals]
            self.slopes.meet(away, aims, self.threat.dual_lengths(flat), there, self.size)
        return flat

    def climb(self, active: Positions, radius: float, scale: float) -> Step[None]:
        """Let the climbers go a round on these rivals within a radius; `scale` is that of probes and steps."""
        aims, number = _shared_out(active, self.climbers)
        probes = scale * PROBES[number % len(PROBES)]
        strides = scale * STRIDES[number // len(PROBES) % len(STRIDES)]
        y = yield from self._start(aims, number, radius)
        for step in range(self.steps):
            left = 1 - step / self.steps
            slopes = yield from self.look(y, aims)
            u = radius * (probes * left + LAST_PROBE)[:, None] * self._steepest_direction(slopes)
            ends = self._valid(np.concatenate([y + u, y - u]), radius)
            ahead, behind = np.split((yield from self.look(ends, np.tile(aims, 2))), 2)
            if not self.is_finite():
                return
            way = np.where((number % 4 == DOWN)[:, None], -u, ahead - behind)
            y = self._onward(y, way, radius, radius * (strides * left + LAST_STRIDE))
        norms = self.threat.dual_lengths((yield from self.look(y, aims))) / self.slopes.margins[aims]
        self.tops = y[np.argsort(-norms, kind="stable")[: math.ceil(self.climbers / KEPT)]]

    def _start(self, aims: Positions, number: Positions, radius: float) -> Step[Numbers]:
        """Rows (climbers, d): the sample, or what is best for each rival of all ends of the last round."""
        y = np.repeat(self.x, len(aims), axis=0)
        if self.tops is None:
            slopes = yield from self.look(y, aims)
            rim = self._valid(y - radius * self._steepest_direction(slopes), radius)
            y[number % 4 == AHEAD] = rim[number % 4 == AHEAD]
            return self._scattered(y, np.asarray(number >= RANDOM), radius)
        tops, active = self._valid(self.tops, radius), np.unique(aims)
        slopes = yield from self.look(np.tile(tops, (len(active), 1)), np.repeat(active, len(tops)))
        for aim, norms in zip(active, np.split(self.threat.dual_lengths(slopes), len(active)), strict=True):
            mine = (aims == aim) & (number % 4 != DOWN)
            best = tops[np.argsort(-norms, kind="stable")[: math.ceil(mine.sum() / 2)]]
            y[mine] = best[number[mine] % len(best)]
        return y

    def _onward(self, y: Numbers, way: Numbers, radius: float, strides: Numbers) -> Numbers:
        """Steps of these lengths; to a random point of the ball where there is no way."""
        is_lost = ~np.any(way, axis=1)
        step = self.threat.ascent_direction(way)
        step = step / np.where(is_lost, 1.0, self.threat.lengths(step))[:, None]
        return self._scattered(self._valid(y + strides[:, None] * step, radius), is_lost, radius)

    def _steepest_direction(self, slopes: Numbers) -> Numbers:
        """u (m, d) of length 1 in the threat's norm, along which a margin with these slopes (m, d) rises most."""
        if self.threat.norm is not Norm.L1:
            return np.asarray(self.threat.ascent_direction(slopes))
        u, largest = np.zeros_like(slopes), np.abs(slopes).argmax(axis=1)[:, None]
        np.put_along_axis(u, largest, np.sign(np.take_along_axis(slopes, largest, axis=1)), axis=1)
        return u

    def _scattered(self, y: Numbers, which: Mask, radius: float) -> Numbers:
        """The rows with some of them replaced by random points of the ball."""
        if which.any():
            rng = self.case.stream.at(self.draws)
            self.draws += 1
            offsets = self.threat.draw_in_ball(rng, int(which.sum()), self.x.shape[1:], radius=radius, law="radial")
            y[which] = self._valid(self.x + offsets, radius)
        return y

    def _valid(self, rows: Numbers, radius: float) -> Numbers:
        """The nearest rows that are valid, and within the radius."""
        near = self.threat.project(rows, np.broadcast_to(self.x, rows.shape), np.full(len(rows), radius))
        return np.asarray(near, np.float64)


def _shared_out(active: Positions, climbers: int) -> tuple[Positions, Positions]:
    """Which rival each climber goes for, (climbers,), and how many of them go for it before him."""
    places = np.arange(climbers)
    return active[places % len(active)], places // len(active)
