"""Descent of g(theta), the length of the ray from a sample in direction theta up to the boundary.

Cheng et al., ICLR 2019, arXiv:1807.04457, algorithm 2. A method says how it estimates the gradient of log g where the
descent stands; the line search along it, when to look closer and where to begin stand here:

    descent = RayDescent(case, threat, params)

    def advance() -> Step[None]:
        cloud = descent.cloud(params.probes)           # at distance g, in directions theta + beta u
        ...                                            # an estimate of the gradient of log g at theta
        yield from descent.move(gradient)

    yield from descent.along(advance)

Symbols as in the paper: theta is the direction, g its length, u a random direction, beta how far the probes are from
theta, alpha the length of a step. What is bisected is what is valid, a clipped ray; a direction is what the box has
left of it; so g is the distance of a valid point. Differences of g are shares of g, so that no unit matters.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.questions.cloud import Cloud
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.directions.choice import directions
from algorithms.searches.directions.params import DirectionParams
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.ray import Ray
from algorithms.searches.ray_lengths.around import Around, make_direction
from algorithms.searches.ray_lengths.crossings import DoublingSteps, Steps, find_crossings
from algorithms.threats.threat import Threat

SHORTEST = 1e-4  # alpha, in the code of the authors: below it beta is a tenth from then on, and alpha 1
LONGEST = 1e3  # change of a feature: theta, of size 1, hardly counts beside it. Their code doubles 15 times at most
FIRST_STEP = 1e-3  # of g, along a new direction that has turned out to be shorter
REST, GAIN = 4, 0.01  # so many estimates, and probes a dimension, that gained less than this share: nothing is left
PRECISE = 0.1  # of what a probe typically differs by: how precisely g is known where the descent stands
RESOLUTION = 2.0**-20  # of g: less than this float32 can hardly tell


class DescentParams(DirectionParams):
    """Parameters of a descent are those that all methods have which go down g(theta)."""

    probes: int = Field(100, ge=1, le=10_000, description="directions of an estimate")
    iterations: int = Field(
        10_000, ge=1, le=1_000_000, description="estimates at most; mostly the budget ends the descent"
    )
    alpha: float = Field(0.2, gt=0, le=1e6, description="first step along an estimate; it adapts")
    beta: float = Field(0.01, gt=0, le=1, description="how far probes are from the direction, whose size is 1")


class RayDescent:
    """A descent is one sample's, and knows where it stands: always at an adversarial point close to the boundary."""

    def __init__(self, case: Case, threat: Threat, params: DescentParams, steps: Steps | None = None) -> None:
        law = directions(case, params, threat.norm)
        self.case, self.threat, self.params, self.law = case, threat, params, law
        self.spread = 1 / math.sqrt(law.dimensions(case.x.size))  # of a random direction along any other
        self.walk = BoundaryWalk(case, threat, [law], self._tolerance(params.beta))
        self.alpha, self.beta = params.alpha, 0.0
        self.steps = steps or DoublingSteps(FIRST_STEP)

    def along(self, advance: Callable[[], Step[None]]) -> Conversation:
        """Descend until the iterations are spent, epsilon is reached, or no start is adversarial.

        Where there is none to begin again from, the descent goes on from where it stands.
        """
        for done in range(self.params.iterations):
            if self.is_at_rest and not (yield from self.begin()):
                if done == 0:
                    return
                yield from self.walk.arrive(self.walk.point, self.walk.reach)
            if self.walk.has_arrived:
                return
            yield from advance()

    def begin(self) -> Step[bool]:
        """Stand where a few starts show the boundary to be nearest. False: no start is adversarial."""
        self.alpha, self.beta = self.params.alpha, max(self.params.beta, self._finest)
        return (yield from self.walk.begin())

    @property
    def is_at_rest(self) -> bool:
        """Tell whether the last iterations brought next to nothing, or probes are too close to be told apart.

        So it is before the first start.
        """
        lately = math.ceil(REST * max(1.0, 1 / self.spread**2 / self.params.probes))
        passed = self.walk.passed
        is_slow = len(passed) > lately and passed[-1] > (1 - GAIN) * passed[-1 - lately]
        return is_slow or self.beta < self._finest

    @property
    def g(self) -> float:
        """Tell how far the boundary is in direction theta."""
        return max(self.walk.distance, float(np.finfo(np.float32).tiny))

    @property
    def theta(self) -> Rows:
        """Point to where the descent stands, (*shape) of size 1."""
        return np.asarray((self.walk.point - self.case.x) / np.float32(self.g))

    @property
    def tolerance(self) -> float:
        """Tell how precisely g is known, as a share of it."""
        return self._tolerance(self.beta)

    def _tolerance(self, beta: float) -> float:
        return max(PRECISE * beta * self.spread, RESOLUTION)

    @property
    def _finest(self) -> float:
        return RESOLUTION / self.spread

    def cloud(self, n: int) -> Cloud:
        """Describe the points at distance g in n directions theta + beta u."""
        around = Around(self.theta, self.beta, self.law, self.threat)
        walk = self.walk
        cloud = Cloud(self.case.x, self.g, around, n, self.threat, self.case.stream, walk.counter)
        walk.counter += cloud.counters
        return cloud

    def offsets(self, points: Rows) -> NDArray[np.float32]:
        """Find u (m, d) of a cloud's points (m, *shape), as the box has left it."""
        offsets: NDArray[np.float32] = (points - self.walk.point).reshape(len(points), -1)
        return offsets / np.float32(self.beta * self.g)

    def ask(self, rows: Rows) -> Step[Mask]:
        """Tell which rows (m, *shape) are adversarial."""
        labels = yield from AskLabels(rows)
        return self.walk.wins(labels)

    def move(self, gradient: Numbers, probe: Rows | None = None) -> Step[None]:
        """Follow an estimated gradient (*shape) down, and stand at the nearest point met, or at the best probe.

        Where nothing is nearer down to the shortest step, later probes are closer to theta.
        """
        found = yield from self._search(gradient)
        if probe is not None and self._distance(probe) < min(self.g, self._distance(found)):
            found = yield from self._come_nearer(probe)
        if found is not None:
            yield from self.walk.arrive(found, self.g)
        if self.alpha < SHORTEST:
            self.alpha, self.beta = 1.0, self.beta / 10
        self.walk.passed.append(self.g)

    def _search(self, gradient: Numbers) -> Step[Rows | None]:
        """Step by alpha, and twice as far as long as it helps; where it does not help at all, a quarter as far."""
        found, size = None, float(np.abs(gradient).max())
        if not size:
            self.alpha = 0.0  # no step leads anywhere: later probes are closer
            return None
        self.alpha = min(self.alpha, LONGEST / size)
        while self.alpha * size <= LONGEST:
            nearer = yield from self._step(self.alpha * gradient, found)
            if nearer is None:
                break
            found = nearer
            self.alpha *= 2
        if found is not None:
            self.alpha /= 2
            return found
        while found is None and self.alpha >= SHORTEST:
            self.alpha /= 4
            found = yield from self._step(self.alpha * gradient, None)
        return found

    def _step(self, change: Numbers, found: Rows | None) -> Step[Rows | None]:
        """Look whether the ray in direction theta - change is shorter than what was found, and how short it is."""
        raw = (self.theta - change).astype(np.float32)[None]
        make_direction(raw, self.threat)
        g = self.g if found is None else self._distance(found)
        there: Rows = self.threat.clip(self.case.x + np.float32(g * (1 - self.tolerance)) * raw, self.case.x)
        if (yield from self.ask(there))[0]:
            return (yield from self._come_nearer(there[0]))
        return None

    def _come_nearer(self, point: Rows) -> Step[Rows]:
        """Follow the ray from an adversarial point inwards to where it crosses."""
        ray = Ray(self.case.x[None], (point - self.case.x)[None], 1.0, self.threat)
        at = yield from find_crossings(ray, np.ones(1, np.bool_), self.ask, self.steps, tolerance=self.tolerance)
        nearest: Rows = ray.at(at.outer)[0]
        return nearest

    def _distance(self, point: Rows | None) -> float:
        return np.inf if point is None else self.threat.distance(point, self.case.x)
