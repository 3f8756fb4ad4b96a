"""Interval bound propagation: a radius proven by carrying one interval a number through the network.

Gowal et al. 2018, arXiv:1810.12715. Far looser than `crown` on networks that were not trained for it, and much faster.
The intervals live with the model (`models/onnx/bounds/`); the search for the radius is shared with `crown`
(`algorithms/searches/proofs/radius.py`).

Departures: what is affine in the rows is bounded over the ball within the box, not over its hull; the layers behind the
last curve are taken as one; rounding of the float32 model is part of the bound.
"""

from typing import Literal

from pydantic import Field

from algorithms.mathematics.norms import NORMS
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.proofs import radius as radius_search
from algorithms.threats.threat import Threat


class IntervalsParams(Params):
    name: Literal["intervals"] = "intervals"
    search_steps: int = Field(
        radius_search.SEARCH_STEPS, ge=1, le=100, description="radii tried at most where no epsilon is given"
    )


def minimum(params: IntervalsParams, threat: Threat) -> Cost:
    """Count the clean row: bounds cost neither queries nor gradients."""
    del params, threat
    return Cost(queries=1)


def run(cohort: Cohort, threat: Threat, params: IntervalsParams) -> Conversation:
    """End in a LowerBound; with an epsilon that is not proven, in Abstained: `not_proven`."""
    yield from radius_search.run(cohort, threat, "intervals", params.search_steps)


METHOD = Method(
    name="intervals",
    version="1",
    family="certificate",
    threat_model="white_box",
    needs=(Access.BOUNDS,),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.LOWER_BOUND,
    reference="Gowal et al., On the Effectiveness of Interval Bound Propagation, 2018, arXiv:1810.12715",
    params=IntervalsParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=IntervalsParams(),
    chunk=64,
    chunks_at_once=4,
)
