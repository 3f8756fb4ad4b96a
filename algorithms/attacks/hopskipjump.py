"""HopSkipJump: walk along the decision boundary towards the sample, seeing nothing but labels.

Chen, Jordan, Wainwright, IEEE S&P 2020, arXiv:1904.02144. Each iteration stands on the boundary, estimates its normal
from the labels of a cloud of points, jumps along it to the adversarial side, and comes back to the boundary on the way
to the sample: `algorithms/searches/labels/hops.py`, where QEBA (`qeba`) has it from too. Directions from the span of
samples make it the spanning attack.

What is not in the paper: `algorithms/searches/labels/boundary_walk.py`.
"""

from typing import Literal

from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.case import Case, Conversation
from algorithms.seam.claims import Kind
from algorithms.searches.directions.choice import directions
from algorithms.searches.directions.params import wants
from algorithms.searches.labels.hops import hop, minimum
from algorithms.searches.labels.schedule import ScheduleParams
from algorithms.threats.threat import Threat


class HopSkipJumpParams(ScheduleParams):
    name: Literal["hopskipjump"] = "hopskipjump"


def run(case: Case, threat: Threat, params: HopSkipJumpParams) -> Conversation:
    """Walk until the iterations are spent, epsilon is reached, or no start is adversarial; claim ever nearer points."""
    yield from hop(case, threat, [directions(case, params, threat.norm)], params.gamma, params, ends_at_rest=True)


METHOD = Method(
    name="hopskipjump",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Chen, Jordan, Wainwright, HopSkipJumpAttack, IEEE S&P 2020, arXiv:1904.02144",
    params=HopSkipJumpParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=HopSkipJumpParams(initial_directions=20),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
    keeps_lattice=True,
)
