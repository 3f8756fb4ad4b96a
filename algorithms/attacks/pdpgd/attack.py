"""Primal-dual proximal gradient descent: a game between the point, which shrinks, and a weight on being adversarial.

Matyasko & Chau, 2021 (algorithm 2). The point takes a step of Adam down the margin's soft-plus, and then the proximal
operator of the distance in Adam's metric; the weight rises while the point is not adversarial and falls while it is,
and both are averaged. So no weight is searched for. Departures: what `pace` says; in l0 the operator of |z|^(2/3) sets
a change to 0 where 0 is better, not only where no other minimum is left.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.attacks.pdpgd.operators import shrink
from algorithms.mathematics.adam import Adam
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Labels
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.boundaries.first_order import RIVALS
from algorithms.searches.minimum_norm.crossing import try_crossing
from algorithms.searches.minimum_norm.iterates import NO_AIM, Iterates, Seen
from algorithms.threats.threat import Threat

FALL = 0.01  # of the point's rate, exponentially, from the first step to the last
DUAL_RATE, DUAL_FALL = 0.1, 0.1  # of the weight, and what is left of it at the end, linearly
KEPT = 0.9  # of the averaged weights, a step
FIRST_RATIO, LEAST_RATIO = 0.01, 1e-6  # of the distance's weight over the margin's
INNER, SETTLED = 5, 0.01  # proximal steps in Adam's metric, and the share of a change at which they end (Melchior 2019)


class PDPGDParams(Params):
    name: Literal["pdpgd"] = "pdpgd"
    steps: int = Field(300, ge=2, le=10_000, description="one gradient each")
    pace: Literal["boundary", "paper"] = Field(
        "boundary",
        description="boundary: first towards the nearest rival, and its boundary to first order is tried as well",
    )
    rate: float = Field(0.1, gt=0, le=100, description="of the first step of Adam; falls to a hundredth of it")


def minimum(params: PDPGDParams, threat: Threat[Any]) -> Cost:
    """Count the clean row, looks at two points, the final re-query; the rivals, and a gradient a step."""
    ranked = RIVALS + 2 if threat.targeted is None else 3
    return Cost(queries=4, gradients=ranked + params.steps)


@dataclass
class Game:
    """A game holds what it remembers of m samples beside their points: Adam's averages, and the weights."""

    adam: Adam
    weight: Numbers  # (m,) log of the margin's over the distance's: lambda_2 of the paper, where lambda_1 is 0
    ratio: Numbers  # (m, 2) both, averaged: they add up to 1

    @classmethod
    def begun(cls, m: int, d: int) -> "Game":
        weight = np.full(m, -math.log(FIRST_RATIO))
        return cls(Adam((m, d)), weight, _soft_max(weight))

    def keep(self, staying: NDArray[np.bool_]) -> None:
        """Go on with some of the samples only."""
        self.adam.keep(staying)
        self.weight, self.ratio = self.weight[staying], self.ratio[staying]

    def weigh(self, margins: Numbers, rate: float) -> None:
        """Let the weight rise where a margin (m,) says that the point is not adversarial, and fall where it is."""
        most = -math.log(LEAST_RATIO)
        moved = self.weight - rate * np.sign(margins)
        self.weight = np.where(moved > most, most, np.where(moved < -most, -most, moved))
        self.ratio = KEPT * self.ratio + (1 - KEPT) * _soft_max(self.weight)


def run(cohort: Cohort, threat: Threat[Norm | Counting], params: PDPGDParams) -> Conversation:
    """Move the points and the weights in turn, all samples together; claim each nearest success."""
    iterates = Iterates(cohort, threat)
    yield from iterates.begin()
    rivals, units = yield from _scout(iterates, params.pace)
    owners = iterates.going()
    game = Game.begun(len(owners), iterates.x.shape[1])
    for k in range(params.steps):
        staying = np.isin(owners, iterates.going())
        owners = owners[staying]
        if not len(owners):
            break
        game.keep(staying)
        aims = np.where(np.isfinite(iterates.successes.distance), NO_AIM, rivals)
        seen = yield from iterates.look(owners, "margin", aims[owners])
        _move(iterates, owners, seen, game, units[owners], params.rate * FALL ** (k / params.steps))
        share = (params.steps - 1 - k) / (params.steps - 1)
        game.weigh(seen.margins, DUAL_RATE * (DUAL_FALL + (1 - DUAL_FALL) * share))
    yield from iterates.tell()


def _scout(iterates: Iterates, pace: str) -> Step[tuple[Labels, Numbers]]:
    """Which rival leads until the first success, and the units (n,) of changes: a side of the box.

    Where its sides are not alike, or have no end: the largest change on the way to the boundary, to first order.
    """
    n, side = len(iterates.x), iterates.side
    if side is not None and pace == "paper":
        return np.full(n, NO_AIM), np.full(n, side)
    owners, units = iterates.going(), np.ones(n)
    rivals, seen = yield from try_crossing(iterates)
    moved = np.abs(iterates.crossing(owners, seen) - iterates.x[owners]).max(axis=1)
    units[owners] = np.where(moved > 0, moved, 1.0)
    return rivals, units if side is None else np.full(n, side)


def _move(iterates: Iterates, owners: Owners, seen: Seen, game: Game, units: Numbers, rate: float) -> None:
    """One step of Adam down the soft-plus of the margin, then the proximal steps in Adam's metric; in units."""
    x, u = iterates.x[owners], units[:, None]

    def valid(changes: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((iterates.threat.clip(x + changes * u, x) - x.astype(np.float64)) / u)

    steep = np.exp(-np.logaddexp(0.0, seen.margins))  # of the soft-plus, which pulls on beyond the boundary, too
    step = game.adam.step(-(steep * units)[:, None] * seen.slopes)
    stepped = valid(iterates.changes(owners) / u + rate * step)
    steepest = game.adam.metric.max(axis=1).astype(np.float64)
    threshold = game.ratio[:, 0] / game.ratio[:, 1] * rate / steepest
    metric, settled, going = game.adam.metric / steepest[:, None], stepped, np.ones(len(x), np.bool_)
    for _ in range(INNER):
        shrunk = valid(shrink(settled + (stepped - settled) * metric, threshold, iterates.threat.norm))
        moved = np.where(going[:, None], shrunk - settled, 0.0)
        settled = settled + moved
        going &= np.sqrt((moved**2).sum(axis=1)) > SETTLED * np.sqrt((settled**2).sum(axis=1))
        if not going.any():
            break
    iterates.points[owners] = np.where(settled == 0, x, iterates.threat.clip(x + settled * u, x))


def _soft_max(weight: Numbers) -> Numbers:
    """The weights (m, 2) of distance and margin that add up to 1, of the log of their ratio (m,)."""
    margin = 1 / (1 + np.exp(-weight))
    return np.stack([1 - margin, margin], axis=1)


METHOD = Method(
    name="pdpgd",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(*NORMS, Counting.L0),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Matyasko & Chau, PDPGD: Primal-Dual Proximal Gradient Descent Adversarial Attack, 2021, "
    "arXiv:2106.01538",
    params=PDPGDParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=PDPGDParams(steps=45, pace="paper", rate=1.0),  # the laws' models are too small for more than the crossing
    chunk=64,
    chunks_at_once=8,
)
