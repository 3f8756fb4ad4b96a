"""Decoupled direction and norm: the gradient says where to go, and whether the point was a success how far.

Rony, Hafemann, Oliveira, Ben Ayed, Sabourin, Granger, CVPR 2019 (algorithm 1), in l2. Departures: nothing is rounded to
256 levels, which would cost what the search has gained; where there is no gradient the direction is random, as in the
authors' code; and what `pace` says.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.losses import LossName
from algorithms.mathematics.norms import Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.boundaries.first_order import RIVALS, rank_rivals
from algorithms.searches.minimum_norm.iterates import NO_AIM, TINY, Iterates, Seen
from algorithms.threats.threat import Threat

LAST = 0.01  # of the first step: the last one


class DDNParams(Params):
    name: Literal["ddn"] = "ddn"
    steps: int = Field(300, ge=1, le=10_000, description="one gradient each")
    loss: LossName = Field("margin", description="whose gradient gives the direction; cross_entropy in the paper")
    pace: Literal["boundary", "paper"] = Field(
        "boundary",
        description="boundary: the first radius is the first-order distance to the nearest rival, steps its share",
    )
    gamma: float = Field(0.05, gt=0, lt=1, description="by which share the radius shrinks or grows")


def minimum(params: DDNParams, threat: Threat) -> Cost:
    """Count the clean row, a look at one success, the final re-query; the nearest rival, and a gradient a step."""
    return Cost(queries=3, gradients=(RIVALS if threat.targeted is None else 1) + params.steps)


def run(cohort: Cohort, threat: Threat, params: DDNParams) -> Conversation:
    """Turn towards the gradient, then set the length by whether the point was a success; claim each nearest one."""
    iterates = Iterates(cohort, threat)
    yield from iterates.begin()
    successes, n = iterates.successes, len(cohort.labels)
    if params.pace == "paper" and iterates.side is not None:
        rivals, units = np.full(n, NO_AIM), np.full(n, iterates.side)
    else:
        ranked = yield from rank_rivals(successes)
        rivals, units = ranked.rivals[:, 0], ranked.distance
    radius = np.where(np.isfinite(successes.distance), successes.distance, units)  # epsilon of the paper
    most = np.minimum(successes.farthest(), np.inf if threat.epsilon is None else threat.epsilon)
    for k in range(params.steps):
        owners = iterates.going()
        if not len(owners):
            break
        aims = np.where(np.isfinite(successes.distance), NO_AIM, rivals)
        seen = yield from iterates.look(owners, params.loss, aims[owners])
        alpha = LAST + (1 - LAST) * (1 + math.cos(math.pi * k / params.steps)) / 2
        grown = radius[owners] * np.where(seen.wins, 1 - params.gamma, 1 + params.gamma)
        radius[owners] = np.minimum(grown, most[owners])
        step = (alpha * units[owners])[:, None] * _directions(iterates, owners, seen, k)
        iterates.points[owners] = _at_length(iterates, owners, step, radius[owners])
    yield from iterates.tell()


def _directions(iterates: Iterates, owners: Owners, seen: Seen, k: int) -> NDArray[np.float64]:
    """Uphill (m, d), of length 1; at random where there is no slope."""
    found = seen.uphill
    for position in np.flatnonzero(~seen.slopes.any(axis=1)):
        rng = iterates.cohort.streams[owners[position]].at(k)
        found[position] = iterates.threat.draw_on_sphere(rng, 1, found.shape[1:], radius=1.0)[0]
    return found


def _at_length(iterates: Iterates, owners: Owners, step: NDArray[np.float64], radius: Numbers) -> Rows:
    """The points (m, d) that these steps lead to, brought to their radii (m,), and into the box."""
    x = iterates.x[owners].astype(np.float64)
    turned = iterates.points[owners] - x + step
    scale = radius / np.maximum(iterates.threat.lengths(turned), TINY)
    clipped: Rows = iterates.threat.clip(x + scale[:, None] * turned, iterates.x[owners])
    return clipped


METHOD = Method(
    name="ddn",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(Norm.L2,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Rony et al., Decoupling Direction and Norm for Efficient Gradient-Based L2 Adversarial Attacks and "
    "Defenses, CVPR 2019, arXiv:1811.09600",
    params=DDNParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=DDNParams(steps=40),
    chunk=64,
    chunks_at_once=8,
)
