"""HopSkipJump: walk along the decision boundary towards the sample, seeing nothing but labels.

Chen, Jordan, Wainwright, IEEE S&P 2020, arXiv:1904.02144. Each iteration stands on the boundary, estimates its normal
from the labels of a cloud of points, jumps along it to the adversarial side, and comes back to the boundary on the way
to the sample. Directions from a subspace make it QEBA (low frequencies) or the spanning attack.

Symbols as in the paper: theta is the precision of the way back, delta the radius of the cloud, B the number of its
points, xi the length of the jump. What is not in the paper: `algorithms/searches/labels/boundary_walk.py`.
"""

import math
from typing import Literal

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.directions.choice import directions
from algorithms.searches.directions.params import wants
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.schedule import ScheduleParams, delta, size, theta
from algorithms.threats.threat import Threat

HALVINGS = 24  # of a jump: a shorter one is no move in float32. Neither paper nor code has an end here


class HopSkipJumpParams(ScheduleParams):
    name: Literal["hopskipjump"] = "hopskipjump"


def minimum(params: HopSkipJumpParams, threat: Threat) -> Cost:
    """Count the clean row, a start and a step back, one estimate, a jump and a step back, the final re-query."""
    del threat
    return Cost(queries=params.initial_directions + 6)


def run(case: Case, threat: Threat, params: HopSkipJumpParams) -> Conversation:
    """Walk until the iterations are spent, epsilon is reached, or no start is adversarial; claim ever nearer points."""
    law = directions(case, params, threat.norm)
    walk = BoundaryWalk(case, threat, law, theta(params.gamma, case.x.size, threat.norm))

    def advance(k: int) -> Step[None]:
        """Estimate, jump, and come back: one iteration."""
        normal = yield from walk.estimate(size(params.initial_directions, k), delta(walk, params.gamma, k))
        landed = None if normal is None else (yield from jump(walk, normal, k))
        if landed is not None:
            yield from walk.settle(landed)

    yield from walk.along(advance, iterations=params.iterations)


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


METHOD = Method(
    name="hopskipjump",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Chen, Jordan, Wainwright, HopSkipJumpAttack, IEEE S&P 2020, arXiv:1904.02144",
    params=HopSkipJumpParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=HopSkipJumpParams(initial_directions=20),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
)
