"""alpha-CROWN: a radius proven by linear bounds whose free lines are optimized, for each sample and rival.

Xu, Zhang, Wang, Wang, Jana, Lin, Hsieh, ICLR 2021, arXiv:2011.13824. Any slope in [0, 1] of the line below a ReLU gives
a sound bound; projected gradient ascent looks for the best. What is free, and the ascent, live with the model
(`models/onnx/bounds/relaxations/families.py`, `models/onnx/bounds/optimized/`); the search for the radius is that of
`algorithms/searches/proofs/optimized_radius.py`.

Departures: what CROWN proves is not searched; each neuron's interval may have slopes of its own, which are optimized
for its own ends; of every bound the best that was met is kept, with rounding of the float32 model in it.
"""

from typing import Literal

from pydantic import Field

from algorithms.mathematics.norms import NORMS
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.questions.optimized_margins import Ascents
from algorithms.searches.proofs import optimized_radius
from algorithms.searches.proofs.radius import SEARCH_STEPS
from algorithms.threats.threat import Threat


class AlphaCrownParams(Params):
    name: Literal["alpha_crown"] = "alpha_crown"
    steps: int = Field(10, ge=0, le=1000, description="of ascent, for each margin that CROWN does not prove")
    intermediate_steps: int = Field(
        5, ge=0, le=1000, description="of ascent, for each end of a neuron's interval; 0: CROWN's intervals"
    )
    search_steps: int = Field(
        SEARCH_STEPS,
        ge=1,
        le=100,
        description="radii tried at most, by CROWN and then again, where no epsilon is given",
    )


def minimum(params: AlphaCrownParams, threat: Threat) -> Cost:
    """Count the clean row: bounds cost neither queries nor gradients."""
    del params, threat
    return Cost(queries=1)


def run(cohort: Cohort, threat: Threat, params: AlphaCrownParams) -> Conversation:
    """End in a LowerBound; with an epsilon that is not proven, in Abstained: `not_proven`."""
    ascents = Ascents(params.steps, params.intermediate_steps)
    yield from optimized_radius.run(cohort, threat, ascents, params.search_steps)


METHOD = Method(
    name="alpha_crown",
    version="1",
    family="certificate",
    threat_model="white_box",
    needs=(Access.BOUNDS,),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.LOWER_BOUND,
    reference="Xu et al., Fast and Complete, ICLR 2021, arXiv:2011.13824",
    params=AlphaCrownParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=AlphaCrownParams(),
    chunk=32,
    chunks_at_once=4,
)
