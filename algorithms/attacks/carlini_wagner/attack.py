"""Carlini & Wagner's attacks: the nearest adversarial point minimizes distance + c f, for the least c that wins; in l0
such points on fewer and fewer features.

Carlini & Wagner, S&P 2017, arXiv:1608.04644. `preset: paper` is theirs. Departures of `quick`: lengths are measured by
the distance to first order of the nearest rival, so that nothing depends on the scale of features and scores, and few
steps are enough; the offset is moved and clipped instead of a tanh, which is flat at the ends of the box; the rate
falls. In both: distances are measured from the sample itself, a sample leaves a descent by its own loss and not by its
company's, and one that has no success has no point.
"""

from typing import Any

from algorithms.attacks.carlini_wagner import l0, l2, linf
from algorithms.attacks.carlini_wagner.params import CarliniWagnerParams
from algorithms.mathematics.norms import Counting, Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.boundaries.first_order import RIVALS
from algorithms.searches.tallies.successes import Successes
from algorithms.threats.threat import Threat


def minimum(params: CarliniWagnerParams, threat: Threat[Any]) -> Cost:
    """Count the clean row, one success and the final re-query; the nearest rival, and one descent.

    In l0 rivals are looked at twice, by count and by length, and the fewest changes that cross are tried.
    """
    rivals = 0 if params.units == "box" else 1 if threat.targeted else RIVALS
    if threat.norm is Counting.L0 and rivals:
        rivals = 2 * rivals + 1
    return Cost(queries=3, gradients=params.schedule(threat.norm).steps + rivals)


def run(cohort: Cohort, threat: Threat[Any], params: CarliniWagnerParams) -> Conversation:
    """Run the attack of the threat's norm."""
    if threat.norm is Counting.L0:
        yield from l0.run(cohort, threat, params)
    else:
        attack = l2.run if threat.norm is Norm.L2 else linf.run
        yield from attack(Successes(cohort, threat), params)


METHOD = Method(
    name="carlini_wagner",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(Norm.L2, Norm.LINF, Counting.L0),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Carlini, Wagner, Towards Evaluating the Robustness of Neural Networks, S&P 2017, arXiv:1608.04644",
    params=CarliniWagnerParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=CarliniWagnerParams(steps=30, search_steps=3),
    chunk=64,
    chunks_at_once=8,
)
