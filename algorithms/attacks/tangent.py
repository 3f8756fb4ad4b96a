"""The tangent attack: HopSkipJump whose jump ends where a line from the sample touches a ball behind the boundary.

Ma, Guo, Chen, Yong, Wang: Finding Optimal Tangent Points for Reducing Distortions of Hard-label Attacks, NeurIPS 2021,
arXiv:2111.07492. Each iteration estimates the boundary's normal from the labels of a cloud, jumps to the tangent point
of a hemisphere (or, generalized, of a semi-ellipsoid), and comes straight back to the boundary: on a flat one that ends
nearer to the sample than from any other point of the hemisphere. What is not in the paper:
`algorithms/searches/labels/boundary_walk.py`.
"""

from typing import Literal

from pydantic import Field

from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.searches.directions.choice import directions
from algorithms.searches.directions.params import wants
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.hops import minimum
from algorithms.searches.labels.line import Segment
from algorithms.searches.labels.schedule import ScheduleParams, delta, size, theta_of_few
from algorithms.searches.labels.tangent_point import tangent_jump
from algorithms.threats.threat import Threat


class TangentParams(ScheduleParams):
    name: Literal["tangent"] = "tangent"
    radius_ratio: float = Field(
        1.0,
        ge=1,
        le=100,
        description="how much longer the semi-ellipsoid is along the normal than across; 1: a hemisphere, as in the "
        "paper's first form. Its generalized form has 1.1",
    )


def run(case: Case, threat: Threat, params: TangentParams) -> Conversation:
    """Walk until the iterations are spent, epsilon is reached, or no start is adversarial; claim ever nearer points."""
    law = directions(case, params)
    walk = BoundaryWalk(case, threat, [law], theta_of_few(params.gamma, case.x.size, threat.norm))

    def advance(k: int) -> Step[None]:
        """Estimate, jump to the tangent point, and come back: one iteration."""
        normal = yield from walk.estimate(size(params.initial_directions, k), delta(walk, params.gamma, k))
        landed = None if normal is None else (yield from tangent_jump(walk, normal, k, params.radius_ratio))
        if landed is not None:
            yield from walk.follow(Segment(case.x, landed, threat))

    yield from walk.along(advance, iterations=params.iterations)


METHOD = Method(
    name="tangent",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Ma, Guo, Chen, Yong, Wang, Finding Optimal Tangent Points, NeurIPS 2021, arXiv:2111.07492",
    params=TangentParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=TangentParams(initial_directions=20),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
    keeps_lattice=True,
)
