"""SignHunter: the signs of a gradient found by halves, one flip and one query at a time.

Al-Dujaili & O'Reilly, Sign Bits Are All You Need for Black-Box Attacks, ICLR 2020, arXiv:1902.06894, algorithms 1
and 2. All signs are flipped together, then each half, each quarter, and so on down to single features; a flip stays
where the loss at o + r s, brought into ball and box, has not grown. After some 2n flips, of n features, the next pass
begins, with o at the best point so far.

As the other searches at a given radius do, it looks for the smallest radius that succeeds where none is given: signs
are worth as much in a smaller ball.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Scores
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.labels.returns import Block
from algorithms.searches.scores.plateaus import Plateaus
from algorithms.searches.signs.blocks import Blocks
from algorithms.searches.walks.ball_walk import BallWalk, walk
from algorithms.searches.walks.drawing_in import drawn_in
from algorithms.searches.walks.judging import FlatSteps, judged
from algorithms.threads import Work
from algorithms.threats.threat import Threat

TRIES = 8  # flips that change nothing, at the end of features' ranges, before a sample waits for the next beat


class SignHunterParams(Params):
    name: Literal["sign_hunter"] = "sign_hunter"
    steps: int = Field(10_000, ge=1, le=1_000_000, description="flips, one query each")


def minimum(params: SignHunterParams, threat: Threat) -> Cost:
    """Count the clean row, the first signs, one flip, the final re-query."""
    del params, threat
    return Cost(queries=4)


def run(cohort: Cohort, threat: Threat, params: SignHunterParams) -> Conversation:
    """Flip until the steps are used up, or one at the radius asked for was a success; claim successes."""
    yield from walk(lambda work: SignHunter(cohort, threat, params, work), cohort.x)


class SignHunter(BallWalk):
    """A sign hunter knows each sample's signs, where they are added to, and which part of them it flips next."""

    def __init__(self, cohort: Cohort, threat: Threat, params: SignHunterParams, work: Work) -> None:
        super().__init__(cohort, threat, params.steps, work)
        n = len(self.x)
        self.d = self.x[0].size
        self.signs = np.ones(self.x.shape, np.int8)
        self.origin = np.zeros_like(self.x)  # o - x
        self.parts = Blocks(n, self.d)  # h and i of the next flip
        self.has_asked = np.zeros(n, np.bool_)  # in this pass
        self.keeps_ties[:] = True
        self.flat = FlatSteps(Plateaus(np.ones(n), np.ones(n)))  # the radius is the step
        self.enter(np.arange(n), self.first_radius())
        self.entered = self.radius.copy()  # the radius that the origin is of

    def judge(self, scores: Scores, asking: Owners) -> tuple[Numbers, Mask]:
        return judged(self.cohort, scores, asking, "margin")

    def arrive(self, who: Owners) -> None:
        """Put the signs found so far at the end of the new radius."""
        scale = self.radius[who] / self.entered[who]
        self.origin[who] *= scale.astype(np.float32)[:, None, None, None]
        self.entered[who] = self.radius[who]
        self.each(self._place, self.blocks(who))
        self.best[who] = self.points[who]

    def step(self, who: Owners) -> Owners:
        """Make each sample's next flip, and skip some that change nothing. Returns those that ask."""
        answered = who[self.was_kept[who] | self.was_left[who]]
        self.notes += self.flat.see(answered, self.was_flat[answered])
        self._flip(who[self.was_left[who]])  # back
        self._turn(answered)
        self.was_kept[who] = self.was_left[who] = False
        asking = []
        for _ in range(TRIES):
            who = who[~self.is_new[who] & ~self.is_over[who]]
            if not len(who):
                break
            self._flip(who)
            self.each(self._place, self.blocks(who))
            changes = (self.points[who] != self.best[who]).any(axis=(1, 2, 3))
            asking.append(who[changes])
            who = who[~changes]
            self._turn(who)
        asked = np.concatenate(asking) if asking else who
        self.iteration[asked] += 1
        self.has_asked[asked] = True
        return asked

    def _flip(self, who: Owners) -> None:
        """Turn the signs of the part that is each sample's next."""
        self.parts.flip(self.signs.reshape(len(self.signs), -1), who)

    def _turn(self, who: Owners) -> None:
        """Go on to the next part, the next level, or the next pass."""
        self._begin_pass(self.parts.turn(who))

    def _begin_pass(self, who: Owners) -> None:
        """Begin anew at the best point so far, as the paper does; end where a pass has changed nothing."""
        self.is_over[who] = ~self.has_asked[who]
        self.has_asked[who] = False
        self.signs[who] = 1
        self.origin[who] = self.best[who] - self.x[who]
        self.enter(who, self.radius[who])

    def _place(self, block: Block) -> None:
        """Compute the points o + r s, of all signs as long as the radius in this norm, within ball and box."""
        x, radius = self.x[block], self.inner_radius(block)
        unit = radius if self.threat.norm is Norm.LINF else radius / np.sqrt(self.d)
        points = self.origin[block] + unit.astype(np.float32)[:, None, None, None] * self.signs[block]
        points += x
        self.points[block] = drawn_in(self.threat.clip(points, x, out=points), x, radius, self.threat)


METHOD = Method(
    name="sign_hunter",
    version="1",
    family="attack",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(Norm.LINF, Norm.L2),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Al-Dujaili & O'Reilly, Sign Bits Are All You Need for Black-Box Attacks, ICLR 2020, arXiv:1902.06894",
    params=SignHunterParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=SignHunterParams(steps=120),
    chunk=100,
    chunks_at_once=4,
    keeps_lattice=True,
)
