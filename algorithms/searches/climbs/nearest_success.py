"""The nearest success of a climb: at the radius asked for, or at the smallest radius at which it still succeeds.

Doubling until it does, then bisection, each success pulled back towards the sample. What may be asked of such a climb
stands here too, and what it costs at least: attacks that climb differ in the gradients that lead them.
"""

import numpy as np
from pydantic import Field

from algorithms.mathematics.losses import LossName
from algorithms.method import Params
from algorithms.seam.case import Conversation
from algorithms.seam.claims import Note
from algorithms.seam.cost import Cost
from algorithms.searches.boundaries.first_order import RIVALS
from algorithms.searches.climbs.ascent import Climb
from algorithms.searches.climbs.smallest_radius import search
from algorithms.threats.threat import Threat

TOLERANCE = 0.01  # a search ends where the smallest success is within 1 % of the largest failure


class ClimbParams(Params):
    """Parameters of a climb are what is climbed, how long, how often, and how many radii are tried."""

    loss: LossName = Field("margin", description="what is climbed; cross_entropy vanishes on confident models")
    steps: int = Field(40, ge=1, le=10_000, description="gradient steps of one climb")
    restarts: int = Field(
        2,
        ge=1,
        le=100,
        description="climbs at each radius: towards the nearest rival; then from random points, first by the loss",
    )
    step_size: float = Field(0.5, gt=0, le=4, description="first step over the radius; falls to 0 as a cosine")
    search_steps: int = Field(12, ge=1, le=40, description="radii tried where no epsilon is given")


def minimum(params: ClimbParams, threat: Threat) -> Cost:
    """Count the clean row, one look at the end of a climb and the final re-query; the nearest rival, and one climb."""
    return Cost(queries=3, gradients=params.steps + (RIVALS if threat.targeted is None else 1))


def climb_nearest(climb: Climb, search_steps: int) -> Conversation:
    """Climb at the radius asked for, or search the smallest that succeeds; claim successes, and note diagnostics."""
    cohort, epsilon = climb.cohort, climb.threat.epsilon
    first_order_distance = yield from climb.rank_rivals()
    if epsilon is not None:
        everyone = np.ones(len(cohort.live), np.bool_)
        yield from climb.at_radius(np.full(len(everyone), epsilon), everyone)
    else:
        yield from search(
            climb.successes,
            climb.at_radius,
            np.minimum(first_order_distance, cohort.reached),
            tries=search_steps,
            tolerance=TOLERANCE,
        )
    for owner in np.flatnonzero(cohort.live):
        yield Note(climb.stationarity.of(int(owner)), owner=int(owner))
