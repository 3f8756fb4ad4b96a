"""Elastic-net attack: the sparse change that minimizes c f + beta ||x - x0||_1 + ||x - x0||_2^2, by FISTA.

Chen, Sharma, Zhang, Yi, Hsieh, AAAI 2018 (algorithm 1), in the frame of Carlini & Wagner. `preset: paper` is theirs.
Departures of `quick`: lengths and scores are measured in units of the sample, beta is large beside the square, for the
least ||.||_1 is looked for, and what a step shrinks is beta times the step, as in FISTA, instead of beta. In both: what
is asked and tried is y, clipped to the box, which has the same zeros as the iterates it is made of.
"""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.boundaries.first_order import RIVALS
from algorithms.searches.penalties.constant_search import ConstantSearch
from algorithms.searches.penalties.hinge import hinges_in
from algorithms.searches.penalties.penalty import Penalty
from algorithms.searches.penalties.sounding import Sounding
from algorithms.searches.tallies.successes import Successes
from algorithms.threats.threat import Threat

PRESETS: dict[str, dict[str, Any]] = {
    "quick": {},
    "paper": {
        "units": "box",
        "beta": 1e-3,
        "steps": 10_000,
        "search_steps": 9,
        "constant": 1e-3,
        "learning_rate": 0.01,
        "looks": 10,
    },
}


class ElasticNetParams(Params):
    """Parameters name a preset, any of whose numbers may be given instead."""

    name: Literal["elastic_net"] = "elastic_net"
    preset: Literal["quick", "paper"] = "quick"
    rule: Literal["EN", "L1"] = Field(
        "L1", description="which success is kept: that of the least ||.||_1, or of the least elastic net"
    )
    confidence: float = Field(0.0, ge=0, le=1e6, description="kappa: by how much another class has to lead, in scores")
    units: Literal["sample", "box"] = Field(
        "sample",
        description="what lengths are measured in: sample: the distance to first order of the nearest rival, and "
        "scores by their slopes at the sample; box: as they come. paper: box",
    )
    beta: float = Field(100.0, ge=0, le=1e6, description="the weight of ||.||_1. 100, 0.001 by preset")
    steps: int = Field(200, ge=1, le=100_000, description="gradient steps for each constant. 200, 10,000 by preset")
    search_steps: int = Field(5, ge=1, le=40, description="constants c that are tried. 5, 9 by preset")
    constant: float = Field(150.0, gt=0, le=1e9, description="the first c. 150, 0.001 by preset")
    learning_rate: float = Field(
        0.001, gt=0, le=1e3, description="the first step; falls to 0 as a square root. 0.001, 0.01 by preset"
    )
    looks: int = Field(
        0,
        ge=0,
        le=1000,
        description="in a descent, at a sample's loss: where it has not fallen, the sample leaves. 0, 10 by preset",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("preset"), str):
            return PRESETS.get(given["preset"], {}) | given
        return given


def minimum(params: ElasticNetParams, threat: Threat) -> Cost:
    """Count the clean row, one success and the final re-query; the nearest rival, and one descent."""
    rivals = 0 if params.units == "box" else 1 if threat.targeted else RIVALS
    return Cost(queries=3, gradients=params.steps + rivals)


def run(cohort: Cohort, threat: Threat, params: ElasticNetParams) -> Conversation:
    """Descend with each constant, and claim what is better than before by the rule."""
    successes = Successes(cohort, threat)
    yield from successes.begin_at_hints(params.confidence)
    hinges = yield from hinges_in(params.units, successes, params.confidence)
    search = ConstantSearch(len(cohort.labels), params.constant)

    def begin(owners: Owners, start: Rows) -> Fista:
        slower = np.ones(len(owners)) if params.units == "box" else params.constant / search.constant[owners]
        return Fista(successes, hinges[0].distance[owners], owners, start, params, slower)

    penalty = Penalty(Sounding(successes), hinges, search, steps=params.steps, looks=params.looks)
    yield from penalty.minimize(begin, params.search_steps)


class Fista:
    """The iterates x_k of some samples are moved by FISTA, and asked at y_k = x_k + k / (k + 3) (x_k - x_(k-1))."""

    def __init__(
        self,
        successes: Successes,
        length: Numbers,
        owners: Owners,
        start: Rows,
        params: ElasticNetParams,
        slower: Numbers,
    ) -> None:
        self.x0: Rows = successes.x[owners]
        self.length = length  # (m,) what lengths are measured in
        self.slower = slower  # (m,) what a step is multiplied by: a larger constant makes no longer steps on f
        self.params, self.threat = params, successes.threat
        self.x, self.points = start, start  # x_k and y_k
        self._look()

    def _look(self) -> None:
        offsets = self.points.astype(np.float64) - self.x0
        self.delta: Numbers = offsets / self.length[:, None]
        l1 = np.asarray(self.threat.lengths(self.delta))
        self.term: Numbers = self.params.beta * l1 + np.square(self.delta).sum(axis=1)
        self.measure = l1 if self.params.rule == "L1" else self.term

    def move(self, slopes: NDArray[Any], step: int) -> None:
        """Take a step of FISTA, given the slopes (m, d) of c f at y_k."""
        a = self.params.learning_rate * math.sqrt(1 - step / self.params.steps) * self.slower  # (m,)
        unit = self.length[:, None]
        z = self.points - a[:, None] * unit * (unit * slopes + 2 * self.delta)
        threshold = self.params.beta * self.length * (1.0 if self.params.units == "box" else a)
        before, self.x = self.x, self.threat.shrink(z, self.x0, threshold)  # S_beta
        self.points = self.threat.clip(self.x + step / (step + 3) * (self.x - before), self.x0)
        self._look()

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Go on with some of the samples only."""
        self.x0, self.x, self.points = self.x0[rows], self.x[rows], self.points[rows]
        self.length, self.slower = self.length[rows], self.slower[rows]
        self._look()


METHOD = Method(
    name="elastic_net",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(Norm.L1,),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Chen et al., EAD: Elastic-Net Attacks to Deep Neural Networks, AAAI 2018, arXiv:1709.04114",
    params=ElasticNetParams,
    run=run,
    cohort=True,
    takes_hints=True,
    minimum=minimum,
    smallest=ElasticNetParams(steps=30, search_steps=4, beta=2.0, constant=8.0, learning_rate=0.05),
    chunk=64,
    chunks_at_once=8,
)
