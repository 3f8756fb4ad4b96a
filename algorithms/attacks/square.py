"""Square attack: random search with square-shaped changes. One query a step, kept if the loss falls.

Andriushchenko et al., ECCV 2020, arXiv:1912.00049. At a given radius it looks for an adversarial point on the ball's
surface. Without one it starts wide, pulls every success back towards the sample and goes on from there inside a
smaller ball, until its steps are used up. A vector of features is searched by segments instead of squares.

The schedule of window sizes runs over a fixed horizon and not over the budget: a longer budget replays the shorter.
"""

import math
from collections.abc import Generator
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.asking import Answer, Ask, Case, Conversation, Question
from algorithms.geometry import distance, lengths
from algorithms.oracle import Scores
from algorithms.parameters import Cost
from algorithms.parameters import Params as BaseParams
from algorithms.results import Claim, UpperBound
from algorithms.squares import proposals
from algorithms.threat import Threat
from algorithms.windows import HORIZON, Canvas, share_at

PULL_BACK_STEPS = 10  # halvings of the way back to the sample after a success
SHRINK = 0.8  # a search goes on inside this share of the distance it has reached
PATIENCE = 50  # steps at a radius without any success so far, before the radius is doubled

Image = NDArray[np.float32]  # (C, H, W)
Step = Generator[Question | Claim, Answer, Any]


class Params(BaseParams):
    name: Literal["square"] = "square"
    initial_share: float | None = Field(
        None, gt=0, le=1, description="first share of pixels in a window; null: 0.05 in linf, 0.1 in l2"
    )
    steps: int = Field(HORIZON, ge=1, le=1_000_000, description="search steps, one query each")


def minimum(params: Params, threat: Threat) -> Cost:
    """Clean row, first guess, one step, final re-query."""
    del params, threat
    return Cost(queries=4)


def run(case: Case, threat: Threat, params: Params) -> Conversation:
    search = Search(case, threat, params.initial_share)
    yield from search.move_into(search.first_radius() if threat.epsilon is None else threat.epsilon)
    for iteration in range(params.steps):
        if search.has_won:
            reached = yield from search.pull_back()
            if threat.epsilon is not None or reached == 0.0:
                return
            yield from search.move_into(SHRINK * reached)
        elif threat.epsilon is None and search.is_stuck(iteration):
            yield from search.move_into(2 * search.radius)
        else:
            yield from search.step(iteration)


class Search:
    """One sample's search: the best point so far, and the ball it moves in."""

    def __init__(self, case: Case, threat: Threat, initial_share: float | None) -> None:
        self.case, self.threat = case, threat
        self.canvas = Canvas.of(case.x.shape)
        self.x = np.ascontiguousarray(self.canvas.view(case.x))
        sides = (threat.box.lower, threat.box.upper)
        self.lower, self.upper = (self.canvas.view(np.broadcast_to(side, case.x.shape).copy()) for side in sides)
        self.rng = case.stream.at(0)
        self.farthest = float(lengths(np.maximum(self.upper - self.x, self.x - self.lower)[None], threat.norm)[0])
        self.kind = proposals(threat.norm)
        self.share = self.kind.initial_share if initial_share is None else initial_share
        self.best: Image = self.x  # the point with the least loss met within the radius
        self.loss = np.inf
        self.has_won = False
        self.has_ever_won = False

    def first_radius(self) -> float:
        """Wide: a quarter of the way to the farthest point of the box; a tenth of the sample's size where unbounded."""
        if np.isfinite(self.farthest):
            return self.farthest / 4
        return 0.1 * max(1.0, float(lengths(self.x[None], self.threat.norm)[0]))

    def is_stuck(self, iteration: int) -> bool:
        """No success at any radius yet, and a larger one is left to try."""
        has_room = self.radius < self.farthest
        return not self.has_ever_won and iteration % PATIENCE == PATIENCE - 1 and has_room

    def move_into(self, radius: float) -> Step:
        """Go on within another radius, from the best point so far."""
        self.radius = radius
        self.proposals = self.kind(self.x, self.lower, self.upper, radius, self.canvas, self.rng)
        point = self.proposals.within(self.best) if self.has_ever_won else self.proposals.first()
        self.best, self.loss, self.has_won = point, np.inf, False
        yield from self._try(point)

    def step(self, iteration: int) -> Step:
        candidate = self.proposals.next(self.best, share_at(iteration, self.share))
        if candidate is not None:
            yield from self._try(candidate)

    def pull_back(self) -> Step:
        """Claim the success, then halve the way back while it stays one. Returns the distance reached."""
        origin, far, box = self.case.x, self.canvas.restore(self.best), self.threat.box
        yield UpperBound(far)
        low, high, nearest = 0.0, 1.0, far
        for _ in range(PULL_BACK_STEPS):
            middle = (low + high) / 2
            between = np.clip(origin + np.float32(middle) * (far - origin), box.lower, box.upper)
            if self._loss((yield Ask(between[None]))[0])[1]:
                high, nearest = middle, between
                yield UpperBound(between)
            else:
                low = middle
        self.best = np.ascontiguousarray(self.canvas.view(nearest))
        return distance(nearest, origin, self.threat.norm)

    def _try(self, point: Image) -> Step:
        loss, wins = self._loss((yield Ask(self.canvas.restore(point)[None]))[0])
        if loss < self.loss:
            self.best, self.loss, self.has_won = point, loss, wins
            self.has_ever_won |= wins

    def _loss(self, scores: Scores) -> tuple[float, bool]:
        """What is to fall, and whether the point is adversarial: the margin, or targeted the cross-entropy."""
        z: list[float] = scores.tolist()  # a few numbers: numpy's calls would cost more than the sums
        if not all(map(math.isfinite, z)):
            return math.inf, False
        target = self.case.target
        own = self.case.label if target is None else target
        rival = max(z[:own] + z[own + 1 :])
        if target is None:
            return z[own] - rival, z[own] < rival
        top = max(rival, z[own])
        return math.log(sum(math.exp(value - top) for value in z)) + top - z[own], z[own] > rival
