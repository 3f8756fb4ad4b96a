"""Projected gradient descent: climb a loss by steepest ascent, projected onto the ball and the box after every step.

At a given radius it asks whether an adversarial point lies within. Without one it searches the smallest radius at
which the climb still succeeds: doubling until it does, then bisection, each success pulled back towards the sample.
All samples of a cohort climb together, each by its own radius, and leave as soon as they are adversarial.

Madry et al., ICLR 2018. Departures: the step falls as a cosine instead of staying constant, so that no step size has
to be tuned to the number of steps; in l1 the projection is exact on ball and box (Croce & Hein, ICML 2021, show what
ignoring the box costs), which makes the raw gradient a good direction without choosing how many features to move.
"""

from typing import Literal

from algorithms.mathematics.norms import NORMS
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.searches.climbs.ascent import Climb
from algorithms.searches.climbs.nearest_success import ClimbParams, climb_nearest, minimum
from algorithms.threats.threat import Threat


class PGDParams(ClimbParams):
    name: Literal["pgd"] = "pgd"


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
    chunks_at_once=8,
)
