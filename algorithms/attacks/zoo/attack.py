"""ZOO: Carlini & Wagner's attack on scores alone, with slopes and curvatures from differences along coordinates.

Chen et al., AISec@CCS 2017, arXiv:1708.03999. `preset: paper` is theirs, but for the difference that slopes are taken
over, which float32 scores do not allow to be as small (`algorithms.attacks.zoo.parabolas`). Departures of `quick`:
lengths are measured by the distance to first order of the nearest rival, so that nothing depends on the scale of
features and scores; Newton's steps; coordinates that matter are drawn more often from the start; the rate falls. In
both: every row that was answered may be the point that is told, not only the middle ones; a sample leaves a descent by
its own loss; kappa is part of the loss.
"""

from algorithms.attacks.zoo.params import ZooParams
from algorithms.attacks.zoo.search import ZooSearch
from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.tallies.successes import Successes
from algorithms.threats.threat import Threat


def minimum(params: ZooParams, threat: Threat) -> Cost:
    """Count the clean row, the first step, and the final re-query."""
    del threat
    return Cost(queries=2 + 2 * params.coordinates)


def run(cohort: Cohort, threat: Threat, params: ZooParams) -> Conversation:
    """Descend with one constant after the other; claim what is nearer than before."""
    yield from ZooSearch(Successes(cohort, threat), params).run()


METHOD = Method(
    name="zoo",
    version="1",
    family="attack",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(Norm.L2,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Chen et al., ZOO: Zeroth Order Optimization Based Black-box Attacks, AISec 2017, arXiv:1708.03999",
    params=ZooParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=ZooParams(learning_rate=0.7, coordinates=8, steps=4, search_steps=2, difference=0.25),
    chunk=50,
)
