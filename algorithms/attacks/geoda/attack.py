"""GeoDA: take the decision boundary for flat, estimate its normal, and cross it where the norm's own geometry says.

Rahmati, Moosavi-Dezfooli, Frossard, Dai, CVPR 2020, arXiv:2003.06468, algorithms 1 and 2. Each iteration stands on the
boundary, estimates its normal from the labels of a cloud of points, and looks for the boundary anew from the sample: in
the direction that crosses a plane with this normal by the least change. Near a sample boundaries curve little, so that
one good estimate is worth more than many jumps along the boundary: later clouds have more points, by the law that makes
the most of a number of queries.

Symbols as in the paper: N_t is the number of points of cloud t, w the normal. What is not in the paper:
`algorithms/searches/labels/boundary_walk.py`, and that w is the sum of all that was asked in a walk, as in the authors'
code; each point weighs the same. In l1 the paper changes an l2 result; here the walk itself goes by l1.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.attacks.geoda.path import NormalPath
from algorithms.attacks.geoda.schedule import split
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import NORMS
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.directions.choice import widening
from algorithms.searches.directions.params import ImageDirectionParams, wants
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.schedule import delta, theta_of_few
from algorithms.threats.threat import Threat

STEPS, LONGER = 24, 1.5  # to the boundary: from where the plane lies to 10 000 times as far


class GeoDAParams(ImageDirectionParams):
    name: Literal["geoda"] = "geoda"
    schedule_horizon: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        description="queries that are split among the estimates; not the budget, which only ends the run: "
        "the same horizon asks the same questions under any budget",
    )
    iterations: int = Field(64, ge=1, le=10_000, description="estimates at most; mostly the budget ends the walk")
    gamma: float = Field(
        1.0, gt=0, le=1e5, description="radius of a cloud: gamma/d of the distance; larger for noisy or large inputs"
    )


def minimum(params: GeoDAParams, threat: Threat) -> Cost:
    """Count the clean row, a start and a step back, one estimate, a step and one back, the final re-query."""
    del threat
    return Cost(queries=split(params.schedule_horizon)[0] + 6)


def run(case: Case, threat: Threat, params: GeoDAParams) -> Conversation:
    """Walk until the iterations are spent, epsilon is reached, or no start is adversarial; claim ever nearer points."""
    laws = widening(case, params, threat.norm)
    walk = BoundaryWalk(case, threat, laws, theta_of_few(params.gamma, case.x.size, threat.norm))
    N = split(params.schedule_horizon)
    w, law = np.zeros(case.x.shape), walk.law

    def advance(t: int) -> Step[None]:
        """Estimate the normal, and cross the boundary as it says: one iteration."""
        nonlocal w, law
        seen = yield from walk.look_around(N[min(t, len(N)) - 1], delta(walk, params.gamma, t))
        w = seen.normal if t == 1 or walk.law is not law else w + seen.normal
        law = walk.law
        path = yield from cross(walk, w)
        if path is not None:
            yield from walk.follow(path)

    yield from walk.along(advance, iterations=params.iterations)


def cross(walk: BoundaryWalk, w: Numbers) -> Step[NormalPath | None]:
    """Find where the path along w crosses the boundary: the part between its last step before and its first behind.

    The first step ends where a plane through the walk's point would be crossed, the next are half as long again. None
    where w leads nowhere, or none of them behind the boundary.
    """
    x, threat = walk.case.x, walk.threat
    if not w.any():
        return None
    away = float((w * (walk.point.astype(np.float64) - x)).sum())  # w.(x_B - x)
    plane = float(threat.reach(w.reshape(1, -1), np.array([away]), x)[0])
    near, reach = 0.0, plane if 0 < plane < np.inf else walk.distance
    farthest = float(threat.farthest(x[None])[0])
    for _ in range(STEPS):
        path = NormalPath(x, w, near, min(reach, farthest), threat)
        if (yield from walk.is_adversarial(path.far)):
            return path
        if reach >= farthest:
            return None
        near, reach = reach, LONGER * reach
    return None


METHOD = Method(
    name="geoda",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=NORMS,
    goals=("untargeted",),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Rahmati, Moosavi-Dezfooli, Frossard, Dai, GeoDA, CVPR 2020, arXiv:2003.06468",
    params=GeoDAParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=GeoDAParams(schedule_horizon=100, iterations=8),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
    keeps_lattice=True,
)
