"""CROWN: a radius proven by linear bounds of the network, each curve held between two lines.

Zhang, Weng, Chen, Hsieh, Daniel, NeurIPS 2018, arXiv:1811.00866; the choice of the lower line of a ReLU is the adaptive
one, by area, as in DeepPoly (Singh et al., POPL 2019). The relaxation lives with the model (`models/onnx/bounds/`); the
search for the radius is that of `algorithms/searches/proofs/useful_radius.py`; version 1 shares one with `intervals`
(`algorithms/searches/proofs/radius.py`).

Departures: the ball is cut to the box exactly; neurons keep the better of interval and backward bound; rounding of the
float32 model is part of the bound.
"""

from dataclasses import replace
from typing import Literal

from pydantic import Field

from algorithms.mathematics.norms import NORMS
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.searches.proofs import radius as radius_search
from algorithms.searches.proofs import useful_radius
from algorithms.threats.threat import Threat


class CrownParams(Params):
    name: Literal["crown"] = "crown"
    search_steps: int = Field(
        radius_search.SEARCH_STEPS, ge=1, le=100, description="radii tried at most where no epsilon is given"
    )


def minimum(params: CrownParams, threat: Threat) -> Cost:
    """Count the clean row: bounds cost neither queries nor gradients."""
    del params, threat
    return Cost(queries=1)


def run(cohort: Cohort, threat: Threat, params: CrownParams) -> Conversation:
    """End in a LowerBound; with an epsilon that is not proven, in Abstained: `not_proven`."""
    yield from useful_radius.run(cohort, threat, params.search_steps)


def _run_first(cohort: Cohort, threat: Threat, params: CrownParams) -> Conversation:
    yield from radius_search.run(cohort, threat, "crown", params.search_steps)


_NEWEST = Method(
    name="crown",
    version="2",
    family="certificate",
    threat_model="white_box",
    needs=(Access.BOUNDS,),
    norms=NORMS,
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.LOWER_BOUND,
    reference="Zhang et al., Efficient Neural Network Robustness Certification, NeurIPS 2018, arXiv:1811.00866",
    params=CrownParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=CrownParams(),
    chunk=32,
    chunks_at_once=4,
)
METHOD = replace(_NEWEST, earlier=(replace(_NEWEST, version="1", run=_run_first),))
