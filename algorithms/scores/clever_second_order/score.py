"""CLEVER for smooth networks: gradient and margin of the sample itself, and the estimated largest curvature nearby.

Weng et al., On Extensions of CLEVER, GlobalSIP 2018. Where CLEVER bounds how fast the margin g may fall by
the largest gradient in the ball, here the gradient is the sample's own, and only the curvature is estimated: if no
Hessian in the ball has an eigenvalue below -M, then

    g(x + d) >= g(x) - ||grad g(x)|| ||d|| - M ||d||^2 / 2

and the class stands within the root of the right side. With an estimate of M that is a score, not a bound.
"""

from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.scores.clever_second_order.measuring import measure
from algorithms.scores.clever_second_order.params import SecondOrderParams
from algorithms.scores.clever_second_order.vicinity import SCOUTS
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation
from algorithms.seam.claims import Abstained, Kind
from algorithms.seam.cost import Cost
from algorithms.seam.questions.hessians import AskKinks
from algorithms.threats.threat import Threat

NAMED = 8  # operators, at most


def minimum(params: SecondOrderParams, threat: Threat) -> Cost:
    """Count the clean row, one rival's gradient, and its curvature at the sample and at every point drawn."""
    del threat
    points = 1 + SCOUTS + params.batches * params.batch_size
    return Cost(queries=1, gradients=1 + 2 * params.steps * points)


def run(case: Case, threat: Threat, params: SecondOrderParams) -> Conversation:
    """End in an Estimate, or in Abstained: `not_smooth`, `gradient_masked` or `gradient_not_finite`."""
    kinks = yield from AskKinks()
    if kinks:
        yield Abstained("not_smooth", details={"operators": list(kinks[:NAMED])})
        return
    yield (yield from measure(case, threat, params))


METHOD = Method(
    name="clever_second_order",
    version="1",
    family="score",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(Norm.L2,),
    goals=("untargeted", "targeted"),
    epsilon="refused",
    proves=Kind.ESTIMATE,
    reference="Weng et al., On Extensions of CLEVER, GlobalSIP 2018, arXiv:1810.08640",
    params=SecondOrderParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=SecondOrderParams(batches=2, batch_size=4, steps=2),
    chunk=2,
    chunks_at_once=16,
    reported=("first_order_distance", "max_sample_score", "max_curvature", "radius"),
)
