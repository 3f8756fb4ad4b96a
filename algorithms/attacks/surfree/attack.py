"""SurFree: turn from a boundary point towards the sample in random planes, and keep what is adversarial. Labels alone.

Maho, Furon, Le Merrer, SurFree: a fast surrogate-free black-box attack, CVPR 2021, arXiv:2011.12807, algorithm 1. No
query is spent on what the boundary is like: each new direction is tried at once, by turning to one side and the other
on the circle through the sample, and how far a turn may go is found by halving.

All samples try a direction each, in step: a turn is little arithmetic and few rows.
"""

from typing import Literal

from pydantic import Field

from algorithms.attacks.surfree.turns import PolarTurns
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.directions.choice import widening
from algorithms.searches.directions.params import ImageDirectionParams, wants
from algorithms.searches.labels.first_points import first_points
from algorithms.threats.threat import Threat


class SurFreeParams(ImageDirectionParams):
    name: Literal["surfree"] = "surfree"
    first_angle: float = Field(30.0, ge=5, le=45, description="degrees of the first turns")
    angles: int = Field(1, ge=1, le=10, description="turns tried to each side before a direction is given up: T")
    growth: float = Field(
        0.95,
        gt=0.5,
        lt=1,
        description="by which the angle is divided after a success, and multiplied after a failure: rho",
    )
    orthogonal_to: int = Field(
        10,
        ge=0,
        le=1_000,
        description="directions tried last, to which the next is at right angles; fewer where samples are large",
    )
    iterations: int = Field(
        100_000, ge=1, le=10_000_000, description="directions at most; mostly the budget ends the walk"
    )


def minimum(params: SurFreeParams, threat: Threat) -> Cost:
    """Count the clean row, a start and its ways back, one direction tried to both sides, the final re-query."""
    del params, threat
    return Cost(queries=15)


def run(cohort: Cohort, threat: Threat, params: SurFreeParams) -> Conversation:
    """Try directions until they are used up or turns are too small to matter, or epsilon is reached; claim points."""
    first = yield from first_points(cohort, threat)
    laws = widening(cohort.cases[0], params)
    turns = PolarTurns(cohort, threat, first, laws, params.first_angle, params.growth, params.orthogonal_to)
    yield from turns.settle()
    for _ in range(params.iterations):
        if not len(who := turns.going()):
            return
        yield from turns.turn(who, params.angles)


METHOD = Method(
    name="surfree",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Maho, Furon, Le Merrer, SurFree: a fast surrogate-free black-box attack, CVPR 2021, arXiv:2011.12807",
    params=SurFreeParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=SurFreeParams(iterations=30),
    chunk=100,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
    keeps_lattice=True,
)
