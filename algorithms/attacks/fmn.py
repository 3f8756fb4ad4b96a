"""Fast minimum norm: one step along the gradient, then onto a ball whose radius follows the boundary.

Pintor, Roli, Brendel, Biggio, NeurIPS 2021 (algorithm 1). Until the first success the radius is the distance to the
boundary to first order; after it, it shrinks with each success and grows with each failure. In l0 it is a count, and
changes by at least one. Departures: the projection is exact on ball and box together; before the first success, too,
the radius is larger by gamma, without which a flat boundary is met but never passed; and what `pace` says.
"""

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.boundaries.first_order import RIVALS, rank_rivals
from algorithms.searches.minimum_norm.crossing import try_crossing
from algorithms.searches.minimum_norm.iterates import NO_AIM, Iterates, Seen
from algorithms.threats.threat import Threat

LAST = 0.01  # of the first step: the last one


class FMNParams(Params):
    name: Literal["fmn"] = "fmn"
    steps: int = Field(300, ge=1, le=10_000, description="one gradient each")
    pace: Literal["boundary", "paper"] = Field(
        "boundary",
        description="boundary: first towards the nearest rival, in steps as long as the way to it, to first order",
    )
    step_size: float = Field(1.0, gt=0, le=1_000, description="alpha: the first step; the last is a hundredth of it")
    gamma: float = Field(0.05, gt=0, lt=1, description="by which share the radius first shrinks or grows")
    gamma_last: float = Field(0.001, ge=0, lt=1, description="by which share it shrinks or grows at the end")


def minimum(params: FMNParams, threat: Threat[Any]) -> Cost:
    """Count the clean row, looks at two points, the final re-query; the nearest rival, and a gradient a step."""
    ranked = RIVALS + 1 if threat.targeted is None else 2
    return Cost(queries=4, gradients=(ranked if params.pace == "boundary" else 0) + params.steps)


def run(cohort: Cohort, threat: Threat[Norm | Counting], params: FMNParams) -> Conversation:
    """Move along the gradient, project, and let the radius follow; claim each nearest success."""
    iterates = Iterates(cohort, threat)
    yield from iterates.begin()
    successes = iterates.successes
    radius = successes.distance.copy()  # epsilon of the paper
    rivals = np.full(len(cohort.labels), NO_AIM)
    if isinstance(threat.norm, Counting) and (params.pace == "boundary" or iterates.side is None):
        yield from try_crossing(iterates)
    elif params.pace == "boundary" and cohort.targets is None:
        rivals = (yield from rank_rivals(successes)).rivals[:, 0]
    most = np.minimum(successes.farthest(), np.inf if threat.epsilon is None else threat.epsilon)
    units = np.ones(len(radius))
    for k in range(params.steps):
        owners = iterates.going()
        if not len(owners):
            break
        aims = np.where(np.isfinite(successes.distance), NO_AIM, rivals)
        seen = yield from iterates.look(owners, "margin", aims[owners])
        if k == 0:
            units[owners] = _units(iterates, owners, seen, params.pace)
        falling = (1 + math.cos(math.pi * k / params.steps)) / 2  # from 1 to 0
        alpha = params.step_size * (LAST + (1 - LAST) * falling) * units[owners]
        gamma = params.gamma_last + (params.gamma - params.gamma_last) * falling
        follow = _followed_count if isinstance(threat.norm, Counting) else _followed
        radius[owners] = np.minimum(follow(radius[owners], gamma, iterates, owners, seen), most[owners])
        rows = iterates.points[owners] + alpha[:, None] * seen.uphill
        iterates.points[owners] = successes.project(rows, owners, radius[owners])
    yield from iterates.tell()


def _followed(radius: Numbers, gamma: float, iterates: Iterates, owners: Owners, seen: Seen) -> Numbers:
    """The radius (m,) that follows the boundary: less after a success, more after a failure, first the distance to it.

    To first order a boundary is |L| / ||grad L||_q away from a point; it is reached by going on behind it.
    """
    nearest = iterates.successes.distance[owners]
    failed = np.where(np.isfinite(nearest), radius, iterates.first_order(owners, seen)) * (1 + gamma)
    return np.asarray(np.where(seen.wins, np.minimum(radius * (1 - gamma), nearest), failed))


def _followed_count(radius: Numbers, gamma: float, iterates: Iterates, owners: Owners, seen: Seen) -> Numbers:
    """The count (m,) that follows the boundary, by one change at least; first 1."""
    less = np.minimum(np.minimum(radius - 1, np.floor(radius * (1 - gamma))), iterates.successes.distance[owners])
    more = np.maximum(radius + 1, np.floor(radius * (1 + gamma)))
    followed = np.where(seen.wins, less, more)
    return np.where(np.isinf(radius), 1.0, np.where(followed > 0, followed, 0.0))


def _units(iterates: Iterates, owners: Owners, seen: Seen, pace: str) -> Numbers:
    """How long a step of 1 is in l2, (m,): a side of the box; or as the way that leads to the boundary to first order.

    In linf that way moves all features, in l1 one. In l0 it is a side of the box for each change; where the box has no
    sides that are all alike, the paper's units are those of `boundary`, too.
    """
    if iterates.side is not None and (pace == "paper" or isinstance(iterates.threat.norm, Counting)):
        return np.full(len(owners), iterates.side)
    if isinstance(iterates.threat.norm, Counting):
        crossing = iterates.crossing(owners, seen) - iterates.x[owners]
        return np.asarray(np.abs(crossing).max(axis=1))
    moved = np.count_nonzero(seen.slopes, axis=1) if iterates.threat.norm is Norm.LINF else 1
    return np.asarray(iterates.first_order(owners, seen) * np.sqrt(moved))


METHOD = Method(
    name="fmn",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(*NORMS, Counting.L0),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Pintor et al., Fast Minimum-norm Adversarial Attacks through Adaptive Norm Constraints, NeurIPS 2021, "
    "arXiv:2102.12827",
    params=FMNParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=FMNParams(steps=40),
    chunk=64,
    chunks_at_once=8,
)
