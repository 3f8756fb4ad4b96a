"""SimBA: one step along one direction of an orthonormal basis at a time, forth or back, kept where the loss falls.

Guo et al., Simple Black-box Adversarial Attacks, ICML 2019, arXiv:1905.07121, algorithm 1. Directions come in random
order and none twice before all were tried; the second sign is asked only where the first has not helped. So after T
directions the change is at most √T steps long in l2.

Beyond the paper, which stops at the first success: that is pulled back towards the sample, and the walk goes on inside
a smaller ball. A basis that is used up is begun anew, with another step.
"""

from functools import partial
from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.attacks.simba.bases import BasisName, basis_of
from algorithms.attacks.simba.lengths import first_steps
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
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
from algorithms.searches.walks.drawing_in import drawn_in
from algorithms.searches.walks.judging import FlatSteps, judged
from algorithms.threads import Work
from algorithms.threats.threat import Threat

FEW = 0.1  # share of a basis' directions: where fewer helped, the step is too long
WITHIN = 0.5  # of the radius: the longest step in a ball that holds a success
LOSSES: dict[str, ScoreLoss] = {"margin": "margin", "probability": "cross_entropy"}  # -log p falls as p grows
TRIES = 8  # directions that change nothing, at the end of a feature's range, before a sample waits for the next beat


class SimBAParams(Params):
    name: Literal["simba"] = "simba"
    basis: BasisName = Field("pixel", description="directions: single features, or low frequencies of the image")
    frequencies: float = Field(0.25, gt=0, le=1, description="with dct: share of the frequencies of each axis")
    step: float | None = Field(
        None, gt=0, le=1e6, description="first step; null: 0.2 of the features' range, or of their size without one"
    )
    loss: Literal["margin", "probability"] = Field(
        "margin", description="what falls: the margin over all other classes, or the probability of one, as the paper's"
    )
    steps: int = Field(10_000, ge=1, le=1_000_000, description="directions tried, one or two queries each")


def minimum(params: SimBAParams, threat: Threat) -> Cost:
    """Count the clean row, one direction forth and back, the final re-query."""
    del params, threat
    return Cost(queries=4)


def run(cohort: Cohort, threat: Threat, params: SimBAParams) -> Conversation:
    """Walk until the directions are used up, or one within the radius asked for was a success; claim successes."""
    yield from walk(lambda work: SimBA(cohort, threat, params, work), cohort.x)


class SimBA(BallWalk):
    """A SimBA walk knows which direction each sample tries, with which sign, and what has been added up so far."""

    def __init__(self, cohort: Cohort, threat: Threat, params: SimBAParams, work: Work) -> None:
        super().__init__(cohort, threat, params.steps, work)
        n, self.loss_name = len(self.x), LOSSES[params.loss]
        self.basis = basis_of(params.basis, self.canvas, params.frequencies)
        self.offset, self.trial = np.zeros_like(self.x), np.zeros_like(self.x)  # kept so far; with the step in question
        self.order = np.zeros((n, self.basis.count), np.int32)
        self.signs = np.zeros((n, self.basis.count), np.bool_)  # which sign of a direction is tried first
        self.place = np.full(n, self.basis.count)  # of the next direction in the order
        self.passes = np.zeros(n, np.int64)  # over the basis, begun so far
        self.asked, self.helped = np.zeros(n, np.int64), np.zeros(n, np.int64)  # in this one: questions, kept steps
        self.is_second = np.zeros(n, np.bool_)  # the first sign has not helped
        first, widest = first_steps(self.x, self.threat, params.step)
        self.flat = FlatSteps(Plateaus(first, widest))
        self.step_of = self.flat.plateaus.step  # (n,)
        self.widest = widest
        clean = np.array([case.scores for case in cohort.cases])
        self.radius[:] = np.inf if threat.epsilon is None else threat.epsilon
        self.loss = self.judge(clean, np.arange(n))[0]

    def judge(self, scores: Scores, asking: Owners) -> tuple[Numbers, Mask]:
        return judged(self.cohort, scores, asking, self.loss_name)

    def arrive(self, who: Owners) -> None:
        """Go on from the nearest success, drawn into a smaller ball, with another direction."""
        self.place[who] += 1
        self.is_second[who] = False
        self.each(self._draw_in, self.blocks(who))

    def _draw_in(self, block: Block) -> None:
        x, radius = self.x[block], self.inner_radius(block)
        self.points[block] = self.best[block] = points = drawn_in(self.best[block], x, radius, self.threat)
        self.offset[block] = points - x

    def step(self, who: Owners) -> Owners:
        """Try each sample's next sign or direction; skip some that change nothing. Returns those that ask."""
        answered = who[self.was_kept[who] | self.was_left[who]]
        self.notes += self.flat.see(answered, self.was_flat[answered])
        self.keeps_ties[answered] = self.flat.plateaus.are_met[answered]
        kept = who[self.was_kept[who]]
        self.offset[kept] = self.trial[kept]
        self.helped[kept] += 1
        self._turn(kept, who[self.was_left[who]])
        self.was_kept[who] = self.was_left[who] = False
        asking = []
        for _ in range(TRIES):
            for owner in who[self.place[who] >= self.basis.count]:
                self._begin_pass(int(owner))
            who = who[(self.iteration[who] < self.steps) & ~self.is_over[who]]
            if not len(who):
                break
            changes = np.zeros(len(self.x), np.bool_)
            self.each(partial(self._try, changes), self.blocks(who))
            asking.append(who[changes[who]])
            self.asked[asking[-1]] += 1
            who = who[~changes[who]]
            self._turn(who[:0], who)
        return np.concatenate(asking) if asking else who

    def _turn(self, kept: Owners, left: Owners) -> None:
        """Go on to the next direction where a step was kept, or left with both signs; else to the second sign."""
        is_second = self.is_second[left]
        self.is_second[left] = ~is_second
        self.is_second[kept] = False
        done = np.concatenate([kept, left[is_second]])
        self.place[done] += 1
        self.iteration[done] += 1

    def _begin_pass(self, owner: int) -> None:
        """Draw a new order and new first signs, and mostly take another step."""
        rng = self.cohort.streams[owner].at(int(self.passes[owner]))
        self.order[owner] = rng.permutation(self.basis.count)
        self.signs[owner] = rng.random(self.basis.count) < 0.5
        if self.passes[owner]:
            self._end_pass(owner)
        self.place[owner] = self.helped[owner] = self.asked[owner] = 0
        self.passes[owner] += 1

    def _end_pass(self, owner: int) -> None:
        """Step farther where nothing has succeeded, less far where few steps helped; end where none can help."""
        step, helped = self.step_of[owner], self.helped[owner]
        if self.threat.epsilon is None and not self.has_ever_won[owner]:
            is_widest = step >= self.widest[owner]
            self.is_over[owner] = not self.asked[owner] or (is_widest and not helped)
            self.step_of[owner] = step if is_widest else min(2 * step, self.widest[owner])
        else:
            self.is_over[owner] = not self.asked[owner]
            self.step_of[owner] = step / 2 if helped < FEW * self.basis.count else step

    def _try(self, changes: Mask, block: Block) -> None:
        """Put what one step leads to into `points`, and mark in `changes` (n,) where that is not the best point."""
        place = np.arange(len(self.x))[block], self.place[block]
        ahead = self.signs[place] ^ self.is_second[block]
        lengths = np.minimum(self.step_of[block], WITHIN * self.radius[block])
        x, trial = self.x[block], self.offset[block].copy()
        self.basis.add(trial, self.order[place], np.where(ahead, lengths, -lengths))
        points = self.threat.clip(x + trial, x)
        if np.isfinite(self.radius[block]).any():
            inside = drawn_in(points, x, self.inner_radius(block), self.threat)
            is_cut = (inside != points).any(axis=(1, 2, 3))
            trial[is_cut] = inside[is_cut] - x[is_cut]
            points = inside
        self.trial[block], self.points[block] = trial, points
        changes[block] = (points != self.best[block]).any(axis=(1, 2, 3))


METHOD = Method(
    name="simba",
    version="1",
    family="attack",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Guo et al., Simple Black-box Adversarial Attacks, ICML 2019, arXiv:1905.07121",
    params=SimBAParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=SimBAParams(steps=120),
    chunk=100,
    chunks_at_once=4,
    keeps_lattice=True,
)
