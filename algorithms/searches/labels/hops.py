"""HopSkipJump's walk (Chen, Jordan, Wainwright, IEEE S&P 2020, algorithm 2), by whatever directions.

Each iteration stands on the boundary, estimates its normal from the labels of a cloud of points, jumps along it to the
adversarial side, and comes back to the boundary on the way to the sample. As in the paper, xi is the length of a jump.
"""

import math
from collections.abc import Sequence

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.cost import Cost
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.schedule import CloudParams, delta, size, theta
from algorithms.threats.threat import Threat

HALVINGS = 24  # of a jump: a shorter one is no move in float32. Neither paper nor code has an end here


def minimum(params: CloudParams, threat: Threat) -> Cost:
    """Count the clean row, a start and a step back, one estimate, a jump and a step back, the final re-query."""
    del threat
    return Cost(queries=params.initial_directions + 6)


def hop(
    case: Case,
    threat: Threat,
    laws: Sequence[DirectionLaw],
    gamma: float,
    params: CloudParams,
    *,
    ends_at_rest: bool = False,
) -> Conversation:
    """Estimate by such directions, jump, and come back, iteration by iteration."""
    walk = BoundaryWalk(case, threat, laws, theta(gamma, case.x.size, threat.norm))

    def advance(k: int) -> Step[None]:
        normal = yield from walk.estimate(size(params.initial_directions, k), delta(walk, gamma, k))
        landed = None if normal is None else (yield from jump(walk, normal, k))
        if landed is not None:
            yield from walk.settle(landed)

    yield from walk.along(advance, iterations=params.iterations, ends_at_rest=ends_at_rest)


def jump(walk: BoundaryWalk, normal: Numbers, k: int) -> Step[Rows | None]:
    """Jump along the normal by xi, halved until it lands on the adversarial side; None where it never does."""
    xi = walk.distance / math.sqrt(k)
    for _ in range(HALVINGS):
        there: Rows = walk.threat.clip(walk.point + xi * normal, walk.case.x)
        if np.array_equal(there, walk.point):
            return None
        if (yield from walk.is_adversarial(there)):
            return there
        xi /= 2
    return None
