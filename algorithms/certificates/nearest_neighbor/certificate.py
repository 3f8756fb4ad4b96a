"""A certified l2 radius of a k-nearest-neighbor model, from its own points: exact for k = 1, in closed form for any k.

k = 1: Wang, Liu, Yi, Zhou, Hsieh, 2019, arXiv:1906.03972, one small quadratic program for each point of another class,
most of them screened away (`algorithms.certificates.nearest_neighbor.crossings`). k > 1: their bound from pairs of
points, for odd and even k (`algorithms.certificates.nearest_neighbor.surroundings`). Both measure the perturbation in
plain l2, whatever positive semidefinite metric the model compares by (Wang et al. 2020, arXiv:2006.07024).
"""

from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.certificates.nearest_neighbor.crossings import Radius, radii
from algorithms.certificates.nearest_neighbor.surroundings import Surroundings
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Abstained, Details, Kind, LowerBound
from algorithms.seam.cost import Cost
from algorithms.seam.questions.neighbors import AskNeighbors
from algorithms.seam.questions.pause import Pause
from algorithms.threats.threat import Threat

EXACT = 1e-6  # largest relative gap between lower and upper value that is called exact


class NearestNeighborParams(Params):
    name: Literal["nearest_neighbor"] = "nearest_neighbor"
    selected: int = Field(
        100,
        ge=1,
        le=10_000,
        description="nearest points of the sample's class that pair bounds look at; more never harm",
    )


def minimum(params: NearestNeighborParams, threat: Threat) -> Cost:
    """Count the clean row: nothing else is asked of the model."""
    del params, threat
    return Cost(queries=1)


def run(case: Case, threat: Threat, params: NearestNeighborParams) -> Conversation:
    neighbors = yield from AskNeighbors()
    around = Surroundings.of(neighbors, case.x, case.label, threat)
    pairs = around.pair_bounds(around.own[: max(params.selected, neighbors.k // 2 + 1)])  # (p, q)
    details: Details = {"k": neighbors.k, "points": len(neighbors.y)}
    yield from Pause()
    if neighbors.k == 1:
        found = yield from _exact(around, pairs.max(axis=0), threat.epsilon)
    else:
        found = Radius(around.majority_bound(pairs))
    details |= _told(found, others=len(around.others))
    if threat.epsilon is None or found.lower >= threat.epsilon:
        yield LowerBound(found.lower if threat.epsilon is None else threat.epsilon, details=details)
    else:
        yield Abstained("not_proven", details=details)


def _exact(around: Surroundings, floors: Numbers, epsilon: float | None) -> Step[Radius]:
    """At an epsilon it ends with the first proof of either answer."""
    enough = np.inf if epsilon is None else epsilon
    for found in radii(around, floors, enough=enough):
        if found.upper < enough < np.inf:
            break
        yield from Pause()
    return found


def _told(found: Radius, *, others: int) -> Details:
    is_reached = found.upper < np.inf
    return {
        "lower": found.lower,
        "upper": found.upper if is_reached else None,
        "exact": is_reached and found.upper - found.lower <= EXACT * found.upper,
        "nearest_point": found.point,
        "problems_solved": found.solved,
        "problems_screened": others - found.solved,
    }


METHOD = Method(
    name="nearest_neighbor",
    version="1",
    family="certificate",
    threat_model="white_box",
    needs=(Access.NEIGHBOURS,),
    norms=(Norm.L2,),
    goals=("untargeted",),
    epsilon="optional",
    proves=Kind.LOWER_BOUND,
    reference="Wang, Liu, Yi, Zhou, Hsieh, Evaluating the Robustness of Nearest Neighbor Classifiers, 2019, "
    "arXiv:1906.03972",
    params=NearestNeighborParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=NearestNeighborParams(),
    chunk=4,
)
