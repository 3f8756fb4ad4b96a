"""Sigma-zero: Adam on the margin and a smooth count of changes, and every small change is set back to 0.

Cinà, Villani, Pintor, Schönherr, Biggio, Pelillo, ICLR 2025 (algorithm 1), in l0. Departures: changes are measured in
sides of the box, feature by feature; pixels are counted and set back as a whole where the threat counts them; and the
fewest changes that cross the boundary to first order are tried beside, for on a linear model they are the answer. At
the end changes may be taken back one by one.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.mathematics.adam import Adam
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.counting import small, smooth_slopes
from algorithms.mathematics.norms import Counting
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.boundaries.first_order import RIVALS
from algorithms.searches.minimum_norm.crossing import try_crossing
from algorithms.searches.minimum_norm.iterates import TINY, Iterates
from algorithms.searches.minimum_norm.thinning import thin
from algorithms.threats.threat import Threat

LAST = 0.1  # of the first rate: the last one


class SigmaZeroParams(Params):
    name: Literal["sigma_zero"] = "sigma_zero"
    steps: int = Field(300, ge=1, le=10_000, description="one gradient each")
    pace: Literal["boundary", "paper"] = Field(
        "boundary", description="boundary: the fewest changes that cross it to first order are tried as well"
    )
    rate: float = Field(1.0, gt=0, le=100, description="eta: of the first step of Adam, in sides of the box")
    sigma: float = Field(0.001, gt=0, le=1, description="of the smooth count: a change d counts d^2 / (d^2 + sigma)")
    threshold: float = Field(0.3, ge=0, le=1, description="tau: smaller changes are set back to 0, at first")
    thinning: int = Field(
        0, ge=0, le=10_000, description="gradients in the end, by which single changes are taken back where others do"
    )
    threshold_step: float = Field(0.01, ge=0, le=1, description="by which share of the rate the threshold moves a step")


def minimum(params: SigmaZeroParams, threat: Threat[Counting]) -> Cost:
    """Count the clean row, looks at two points, the final re-query; the crossing, and a gradient a step."""
    is_tried = params.pace == "boundary" or not threat.box.is_bounded
    crossing = (RIVALS + 1 if threat.targeted is None else 2) if is_tried else 0
    return Cost(queries=4, gradients=crossing + params.steps)


def run(cohort: Cohort, threat: Threat[Counting], params: SigmaZeroParams) -> Conversation:
    """Go down the margin and the smooth count, set small changes back, and let the threshold follow successes."""
    iterates = Iterates(cohort, threat)
    yield from iterates.begin()
    if params.pace == "boundary" or not threat.box.is_bounded:
        yield from try_crossing(iterates)
    owners, units = iterates.going(), _units(iterates)  # changes are in units from here on, as in the paper's box
    adam, tau = Adam((len(owners), units.shape[1])), np.full(len(units), params.threshold)
    for k in range(params.steps):
        staying = np.isin(owners, iterates.going())
        owners = owners[staying]
        if not len(owners):
            break
        adam.keep(staying)
        seen = yield from iterates.look(owners, "margin")
        delta = iterates.changes(owners) / units[owners]
        slopes = smooth_slopes(delta, params.sigma, iterates.threat.pixels)
        slopes -= np.where(seen.margins <= 0, 1.0, 0.0)[:, None] * seen.slopes * units[owners]
        delta += _rate(params, max(k - 1, 0)) * adam.step(slopes / _steepest(slopes))
        risen = tau[owners] + params.threshold_step * _rate(params, k) * np.where(seen.wins, 1.0, -1.0)
        tau[owners] = np.where(risen > 1, 1.0, np.where(risen < 0, 0.0, risen))
        _settle(iterates, owners, delta, units[owners], tau[owners])
    yield from thin(iterates, params.thinning)
    yield from iterates.tell()


def _rate(params: SigmaZeroParams, k: int) -> float:
    """The rate eta, which falls to a tenth as a cosine."""
    return params.rate * (LAST + (1 - LAST) * (1 + math.cos(math.pi * k / params.steps)) / 2)


def _steepest(slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest slope of each row, (m, 1)."""
    return np.asarray(np.maximum(np.abs(slopes).max(axis=1, keepdims=True), TINY))


def _units(iterates: Iterates) -> NDArray[np.float64]:
    """What a change of 1 is, (n, d): the side of the box; where it has no end, the largest change of a success."""
    sides = np.broadcast_to(iterates.threat.box.sides, iterates.x.shape)
    changed = np.abs(iterates.successes.nearest - iterates.x).max(axis=1, keepdims=True)
    return np.asarray(np.where(np.isfinite(sides) & (sides > 0), sides, np.where(changed > 0, changed, 1.0)))


def _settle(
    iterates: Iterates, owners: Owners, delta: NDArray[np.float64], units: NDArray[np.float64], tau: Numbers
) -> None:
    """Move the points into the box, and set changes back that are below tau."""
    x = iterates.x[owners]
    rows = iterates.threat.clip(x + delta * units, x)
    iterates.points[owners] = np.where(
        small((rows - x.astype(np.float64)) / units, tau, iterates.threat.pixels), x, rows
    )


METHOD = Method(
    name="sigma_zero",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(Counting.L0,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Cinà et al., Sigma-zero: Gradient-based Optimization of l0-norm Adversarial Examples, ICLR 2025, "
    "arXiv:2402.01879",
    params=SigmaZeroParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=SigmaZeroParams(
        steps=40, pace="paper", thinning=10
    ),  # the laws' models are too small for more than the crossing
    chunk=64,
    chunks_at_once=8,
)
