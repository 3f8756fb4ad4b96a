"""Sign-OPT: the shortest ray to the boundary, going by the signs alone of how its length changes.

Cheng, Singh, Chen, Chen, Liu, Hsieh, Sign-OPT, ICLR 2020, arXiv:1909.10773, algorithm 1. One query tells
whether a ray is longer than g: s_j = 1 where its point at distance g is not adversarial, else -1. Each iteration asks
that of K directions around theta, estimates

    gradient = 1/K sum over j of s_j u_j

less the mean of the signs, which would count wherever the box leaves a u_j only one way to go; and searches a shorter
ray along it, as OPT does (`algorithms/searches/ray_lengths/descent.py`).
"""

from typing import Literal

from pydantic import Field

from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.directions.params import wants
from algorithms.searches.ray_lengths.descent import DescentParams, RayDescent
from algorithms.searches.ray_lengths.signs import ask_signs
from algorithms.threats.threat import Threat


class SignOptParams(DescentParams):
    name: Literal["sign_opt"] = "sign_opt"
    probes: int = Field(200, ge=1, le=10_000, description="K, the directions of an estimate, one query each")


def minimum(params: SignOptParams, threat: Threat) -> Cost:
    """Count the clean row, a start and a step back, one estimate, a step along it, the final re-query."""
    del threat
    return Cost(queries=params.probes + 6)


def run(case: Case, threat: Threat, params: SignOptParams) -> Conversation:
    """Descend until the iterations are spent, epsilon is reached, or no start is adversarial; claim shorter rays."""
    descent = RayDescent(case, threat, params)

    def advance() -> Step[None]:
        signs = yield from ask_signs(descent, params.probes)
        yield from descent.move(signs.mean)

    yield from descent.along(advance)


METHOD = Method(
    name="sign_opt",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Cheng et al., Sign-OPT, ICLR 2020, arXiv:1909.10773",
    params=SignOptParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=SignOptParams(probes=30),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
)
