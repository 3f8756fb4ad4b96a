"""Projected gradient descent: climb a loss by steepest ascent, projected onto the ball and the box after every step.

At a given radius it asks whether an adversarial point lies within. Without one it searches the smallest radius at
which the climb still succeeds: doubling until it does, then bisection, each success pulled back towards the sample.
All samples of a cohort climb together, each by its own radius, and leave as soon as they are adversarial.

Madry et al., ICLR 2018. Departures: the step falls as a cosine instead of staying constant, so that no step size has
to be tuned to the number of steps; in l1 the projection is exact on ball and box (Croce & Hein, ICML 2021, show what
ignoring the box costs), which makes the raw gradient a good direction without choosing how many features to move.
"""

from typing import Literal

from pydantic import Field

from algorithms.mathematics.losses import LossName
from algorithms.mathematics.norms import NORMS
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.threat import Threat
from algorithms.searches.ascent import RIVALS, Climb
from algorithms.searches.nearest_success import climb_nearest


class PGDParams(Params):
    name: Literal["pgd"] = "pgd"
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


def minimum(params: PGDParams, threat: Threat) -> Cost:
    """Count the clean row, one look at the end of a climb and the final re-query; the nearest rival, and one climb."""
    return Cost(queries=3, gradients=params.steps + (RIVALS if threat.targeted is None else 1))


def run(cohort: Cohort, threat: Threat, params: PGDParams) -> Conversation:
    """Climb at the radius asked for, or search the smallest that succeeds; claim successes, and note diagnostics."""
    climb = Climb(
        cohort, threat, loss=params.loss, steps=params.steps, restarts=params.restarts, step_size=params.step_size
    )
    yield from climb_nearest(climb, params.search_steps)


METHOD = Method(
    name="pgd",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, ICLR 2018, "
    "arXiv:1706.06083",
    params=PGDParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=PGDParams(steps=6),
    chunk=64,
)
