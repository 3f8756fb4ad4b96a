"""Square attack: random search with square-shaped changes. One query a step, kept if the loss falls.

Andriushchenko et al., ECCV 2020, arXiv:1912.00049; in l1 after Croce & Hein, ICML 2021, arXiv:2103.01208. At a given
radius it looks for an adversarial point on the ball's surface. Without one it starts wide, pulls every success back
towards the sample and goes on from there inside a smaller ball, until its steps are used up. A vector of features is
searched by segments instead of squares.

Where most steps leave the scores as they were, windows grow, and steps that change nothing are kept: the search goes by
labels there.

The schedule of window sizes runs over a fixed horizon and not over the budget: a longer budget replays the shorter.

Written for a cohort, because a step is little arithmetic: sample by sample, calls of numpy took a third of a small
network's time (`benchmarks/square_rows.py`).
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.attacks.square.proposals import Proposals, proposals
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.windows import HORIZON, shares_at
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Scores
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.labels.returns import Block
from algorithms.searches.scores.margins import ScoreLoss
from algorithms.searches.scores.plateaus import Plateaus
from algorithms.searches.walks.ball_walk import BallWalk, walk
from algorithms.searches.walks.judging import FlatSteps, judged
from algorithms.threads import Work
from algorithms.threats.threat import Threat

WIDEST = 0.8  # of all pixels in the first windows, on a plateau at most: what the authors take of robust models


class SquareParams(Params):
    name: Literal["square"] = "square"
    initial_share: float | None = Field(
        None, gt=0, le=1, description="first share of pixels in a window; null: 0.05 in linf, 0.1 in l2, 0.8 in l1"
    )
    steps: int = Field(HORIZON, ge=1, le=1_000_000, description="search steps, one query each")
    schedule_horizon: int = Field(
        HORIZON, ge=1, le=1_000_000, description="steps over which windows shrink, however many are made"
    )


def minimum(params: SquareParams, threat: Threat) -> Cost:
    """Count the clean row, the first guess, one step, the final re-query."""
    del params, threat
    return Cost(queries=4)


def run(cohort: Cohort, threat: Threat, params: SquareParams) -> Conversation:
    """Search until the steps are used up, or one at the radius asked for was a success; claim successes."""
    yield from walk(lambda work: SquareSearch(cohort, threat, params, work), cohort.x)


def _run_earlier(cohort: Cohort, threat: Threat, params: SquareParams) -> Conversation:
    """Versions 1 and 2 took probabilities as if they were logits: near 1 they all look alike. They saw no plateau."""
    yield from walk(lambda work: SquareSearch(cohort, threat, params, work, is_earlier=True), cohort.x)


class SquareSearch(BallWalk):
    """A search is a walk whose step changes one window of the best point."""

    def __init__(
        self, cohort: Cohort, threat: Threat, params: SquareParams, work: Work, *, is_earlier: bool = False
    ) -> None:
        super().__init__(cohort, threat, params.steps, work)
        self.is_earlier = is_earlier  # than version 3
        self.rngs = [stream.at(0) for stream in cohort.streams]
        self.kind, self.horizon = proposals(threat.norm), params.schedule_horizon
        self.share = self.kind.initial_share if params.initial_share is None else params.initial_share
        self.moves = np.zeros(len(self.x), np.bool_)  # the last step led to another point
        first = np.ones(len(self.x))  # the step is how many times as many pixels as scheduled a window has
        self.flat = FlatSteps(Plateaus(first, WIDEST / self.share * first))
        self.enter(np.arange(len(self.x)), self.first_radius())

    def arrive(self, who: Owners) -> None:
        self.each(self._draw_in, self.blocks(who[self.has_ever_won[who]]))
        self.each(self._guess, self.blocks(who[~self.has_ever_won[who]]))

    def _draw_in(self, block: Block) -> None:
        self.points[block] = self.best[block] = self._proposals(block).within(self.best[block])

    def _guess(self, block: Block) -> None:
        self.points[block] = self.best[block] = self._proposals(block).first()

    def step(self, who: Owners) -> Owners:
        """Change the best points in one window each. Returns those that did change."""
        self._look_for_plateaus(who)
        shares = self.flat.plateaus.step[who] * shares_at(self.iteration[who], self.share, self.horizon)
        self.iteration[who] += 1
        changed = np.zeros(len(self.x), np.bool_)

        def change(asked: tuple[float, Block]) -> None:
            share, block = asked
            best = self.best[block]
            self.points[block], changed[block] = self._proposals(block).next(best, share)
            self.moves[block] = (self.points[block] != best).any(axis=(1, 2, 3))

        self.each(change, [(float(s), block) for s in np.unique(shares) for block in self.blocks(who[shares == s])])
        return np.flatnonzero(changed)

    def _look_for_plateaus(self, who: Owners) -> None:
        """Take in what the last steps have changed; on plateaus keep those, too, that change nothing."""
        if self.is_earlier:
            return
        answered = who[(self.was_kept[who] | self.was_left[who]) & self.moves[who]]
        self.notes += self.flat.see(answered, self.was_flat[answered])
        self.keeps_ties[answered] = self.flat.plateaus.are_met[answered]
        self.was_kept[who] = self.was_left[who] = False

    def _proposals(self, block: Block) -> Proposals:
        rngs = self.rngs[block] if isinstance(block, slice) else [self.rngs[i] for i in block]
        return self.kind(self.x[block], self.inner_radius(block), self.threat, self.canvas, rngs)

    def judge(self, scores: Scores, asking: Owners) -> tuple[Numbers, Mask]:
        """What falls is the margin, targeted the cross-entropy."""
        loss: ScoreLoss = "margin" if self.cohort.targets is None else "cross_entropy"
        return judged(self.cohort, scores, asking, loss, by_logarithms=not self.is_earlier)


_NEWEST = Method(
    name="square",
    version="3",
    family="attack",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(Norm.L2, Norm.LINF, Norm.L1),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Andriushchenko et al., Square Attack, ECCV 2020, arXiv:1912.00049",
    params=SquareParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=SquareParams(steps=200),
    chunk=100,
    chunks_at_once=4,
    keeps_lattice=True,
)
_SECOND = replace(_NEWEST, version="2", run=_run_earlier)
METHOD = replace(_NEWEST, earlier=(_SECOND, replace(_SECOND, version="1", norms=(Norm.L2, Norm.LINF))))
