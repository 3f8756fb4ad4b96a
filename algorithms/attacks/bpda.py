"""Backward pass differentiable approximation: the climb of `pgd`, led by substitutes for the gradients of staircases.

A front end that rounds, or cuts its input into steps, has gradients that are 0 or none at all, and an attack that
follows them stands still. Here each step answers as served and is differentiated as something smooth that lies near it;
what is found is a point, which the model itself confirms.

Athalye, Carlini, Wagner, ICML 2018. Departures: thresholds are differentiated as a soft-sign, for which the paper names
no substitute; the climb is ours, as in `pgd`.
"""

from typing import Literal

from algorithms.mathematics.norms import NORMS
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.questions.substitutes import AskSubstitute
from algorithms.searches.climbs.ascent import Climb
from algorithms.searches.climbs.nearest_success import ClimbParams, climb_nearest, minimum
from algorithms.threats.threat import Threat


class BPDAParams(ClimbParams):
    name: Literal["bpda"] = "bpda"


def run(cohort: Cohort, threat: Threat, params: BPDAParams) -> Conversation:
    """Climb by substitutes; claim successes, and note diagnostics: of the substitutes, and of no true gradient."""
    climb = Climb(
        cohort,
        threat,
        loss=params.loss,
        steps=params.steps,
        restarts=params.restarts,
        step_size=params.step_size,
        question=AskSubstitute,
    )
    yield from climb_nearest(climb, params.search_steps)


METHOD = Method(
    name="bpda",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES,),
    by_substitutes=True,
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Athalye, Carlini, Wagner, Obfuscated Gradients Give a False Sense of Security, ICML 2018, "
    "arXiv:1802.00420",
    params=BPDAParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=BPDAParams(steps=6),
    chunk=64,
    chunks_at_once=8,
)
