"""The boundary attack: a random walk along the decision boundary that comes ever nearer to the sample. Labels alone.

Brendel, Rauber, Bethge, Decision-Based Adversarial Attacks, ICLR 2018, arXiv:1712.04248, algorithm 1 and section 2.
From an adversarial point at distance D of the sample, a step of delta D goes in a random direction along the sphere
around the sample; from there one of epsilon D goes towards the sample. Where the model calls what is reached
adversarial, the walk goes on from there.

Both lengths follow how often they succeed (`step_lengths.py`). For that, the point on the sphere is asked about, too,
every so many steps; where it is not adversarial the step ends there, as each does in the paper.
"""

from typing import Literal

from pydantic import Field

from algorithms.attacks.boundary.walk import SphereWalk
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind, UpperBound
from algorithms.seam.cost import Cost
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.directions.choice import directions
from algorithms.searches.directions.draws import Draws
from algorithms.searches.directions.params import DirectionParams, wants
from algorithms.searches.labels.first_points import first_points
from algorithms.threats.threat import Threat


class BoundaryParams(DirectionParams):
    name: Literal["boundary"] = "boundary"
    orthogonal_step: float = Field(
        0.1, gt=0, le=0.5, description="first length of the step along the sphere, as a share of the distance"
    )
    source_step: float = Field(
        0.01, gt=0, le=0.5, description="first length of the step towards the sample, as a share of the distance"
    )
    sphere_every: int = Field(
        10,
        ge=1,
        le=1_000,
        description="steps from one whose point on the sphere is asked about to the next; the paper: 1",
    )
    steps: int = Field(1_000_000, ge=1, le=10_000_000, description="steps at most; mostly the budget ends the walk")


def minimum(params: BoundaryParams, threat: Threat) -> Cost:
    """Count the clean row, a start and its way back, one step with a look at the sphere, the final re-query."""
    del params, threat
    return Cost(queries=9)


def run(cohort: Cohort, threat: Threat, params: BoundaryParams) -> Conversation:
    """Walk until the steps are used up or too short to matter, or epsilon is reached; claim ever nearer points."""
    first = yield from first_points(cohort, threat)
    draws = Draws(cohort, directions(cohort.cases[0], params), draw=1)
    walk = SphereWalk(cohort, threat, first, draws, params.orthogonal_step, params.source_step, params.sphere_every)
    while len(asking := walk.propose(params.steps)):
        labels = yield from AskLabels(walk.rows(asking), asking)
        for owner in walk.hear(asking, labels):
            yield UpperBound(walk.point(owner), owner=owner)


METHOD = Method(
    name="boundary",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Brendel, Rauber, Bethge, Decision-Based Adversarial Attacks, ICLR 2018, arXiv:1712.04248",
    params=BoundaryParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=BoundaryParams(sphere_every=4, steps=120),
    chunk=100,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
    keeps_lattice=True,
)
