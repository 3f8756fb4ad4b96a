"""Frank-Wolfe without gradients: they are estimated from pairs of points on either side; nothing is projected.

Chen, Zhou, Yi, Gu, AAAI 2020, algorithm 3. As in the white-box attack each step goes towards the point of the ball at
which the loss, taken as linear, is least, and all iterates are convex combinations of points of the ball. The loss is
turned before the least point is looked for. Departures: the ball is cut to the box before that; the loss is a margin
unless told otherwise; delta is a share of the radius, so that it fits features of any size; and gamma is constant, for
the authors' code, which shortens steps where the loss has stalled, needed as many queries here.
"""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.projections import short_of_rounding
from algorithms.method import Method
from algorithms.seam.access import Access, Rows
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind, Note
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.climbs.estimated import threads_for
from algorithms.searches.climbs.paired import PairedClimb
from algorithms.searches.directions.choice import directions
from algorithms.searches.directions.params import DirectionParams, wants
from algorithms.searches.scores.margins import ScoreLoss
from algorithms.searches.scores.unseen import look_without_scores
from algorithms.threads import Work, side_by_side
from algorithms.threats.threat import Threat


class FrankWolfeBlackBoxParams(DirectionParams):
    name: Literal["frank_wolfe_black_box"] = "frank_wolfe_black_box"
    loss: ScoreLoss = Field("margin", description="what is climbed; paper: cross_entropy, flat on confident models")
    pairs: int = Field(25, ge=1, le=5000, description="b: pairs of points of one estimate, two queries each")
    delta: float = Field(0.05, gt=0, le=1, description="how far those points lie off, over the radius")
    step_size: float = Field(0.8, gt=0, le=1, description="gamma: the share of the way to the least point")
    momentum: float = Field(0.95, ge=0, lt=1, description="beta: the share of earlier estimates")
    steps: int = Field(1000, ge=1, le=1_000_000, description="T: estimates at most; mostly the budget ends the walk")


def minimum(params: FrankWolfeBlackBoxParams, threat: Threat) -> Cost:
    """Count the clean row, the sample and the point of the first step, one estimate, and the final re-query."""
    del threat
    return Cost(queries=2 * params.pairs + 4)


def run(cohort: Cohort, threat: Threat, params: FrankWolfeBlackBoxParams) -> Conversation:
    """Walk within the radius asked for, or within ever smaller ones; claim successes, and note the gap."""
    with side_by_side(threads_for(cohort.x, params.pairs)) as work:
        walk = EstimatedFrankWolfe(cohort, threat, params, work)
        yield from walk.climb()
    yield from look_without_scores(cohort, threat, walk.plateaus.are_blind & ~np.isfinite(walk.reached))


BEYOND = 10.0  # a first radius is a tenth of the sample's size where there is no box


class EstimatedFrankWolfe(PairedClimb):
    """A walk has for each sample the mean m of its estimates so far, in the symbols of the paper: F is the turned loss.

    The points of an estimate lie delta radii off in l2; in linf every feature moves by about that much.
    """

    patience = 10

    def __init__(self, cohort: Cohort, threat: Threat, params: FrankWolfeBlackBoxParams, work: Work) -> None:
        self.params, law = params, directions(cohort.cases[0], params)
        super().__init__(cohort, threat, law, steps=params.steps, pairs=params.pairs, loss=params.loss, work=work)
        n, d = self.x.shape
        self.reach = math.sqrt(d) if threat.norm is Norm.LINF else 1.0  # l2 length of delta = 1, over the radius
        self.unit = self.reach / math.sqrt(law.dimensions(d))  # as if offsets were N(0, I) in their space
        self.offsets, self.m = np.zeros((n, d)), np.zeros((n, d))  # x_t - x_0, and what it is moved by
        self.t = np.zeros(n, np.int64)  # steps within this ball
        self.gap = np.full(n, np.nan)

    def widths(self) -> tuple[Numbers, Numbers]:
        """Begin with delta; a plateau may widen it to the radius asked for, or beyond the small one it begins with."""
        widest = BEYOND if self.threat.epsilon is None else 1.0
        return np.full(len(self.x), self.params.delta), np.full(len(self.x), widest)

    def begin(self, who: Owners) -> None:
        self.m[who], self.t[who] = 0.0, 0
        self.offsets[who] = self.points[who].astype(np.float64) - self.x[who]

    def away(self, who: Owners) -> Numbers:
        """Tell how long delta u is."""
        return self.reach * self._delta(who)

    def step(self, who: Owners, offsets: Rows, rises: Numbers, levels: Numbers) -> None:
        """Go by gamma towards the least point v of the ball, for the mean of all estimates in it so far."""
        del levels
        beta, x0 = self.params.momentum, self.x[who]
        self.m[who] = beta * self.m[who] - (1 - beta) * self.slopes(who, offsets, rises, self.unit * self._delta(who))
        self.t[who] += 1
        v = self.threat.least(self.m[who], x0, short_of_rounding(self.radius[who], self.threat.lengths(x0)))
        whole = (1 - beta ** self.t[who])[:, None]  # what the weights in m add up to
        self.gap[who] = (self.m[who] / whole * (self.offsets[who] - v)).sum(axis=1)
        self.offsets[who] += self.params.step_size * (v - self.offsets[who])
        self.points[who] = self.threat.clip(x0 + self.offsets[who], x0)

    def told(self, who: Owners) -> Iterator[Note]:
        """Tell the gap max over v of <x_t - v, grad F>, by estimates of grad F, whose noise makes it larger."""
        for owner in who.tolist():
            yield Note({"frank_wolfe_gap_estimate": float(self.gap[owner])}, owner=owner)

    def _delta(self, who: Owners) -> Numbers:
        return self.plateaus.step[who] * self.radius[who]


METHOD = Method(
    name="frank_wolfe_black_box",
    version="1",
    family="attack",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Chen, Zhou, Yi, Gu, A Frank-Wolfe Framework for Efficient and Effective Adversarial Attacks, AAAI 2020, "
    "arXiv:1811.10828",
    params=FrankWolfeBlackBoxParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=FrankWolfeBlackBoxParams(pairs=2),
    chunk=64,
    chunks_at_once=4,
    wants=wants,
)
