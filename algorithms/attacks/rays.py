"""RayS: signs found block by block, one query a flip, and a bisection where a flip brings the boundary nearer.

Chen & Gu, RayS: A Ray Searching Method for Hard-label Adversarial Attack, KDD 2020, arXiv:2006.12792, algorithms 1
(hierarchical) and 3 (its fast check). The nearest boundary in linf is sought in the directions s in {-1, 1}^d alone.
Flip all signs, then each half, each quarter, down to single features; those again until none brings anything. A flip
is worth a bisection if the point at the best radius is still adversarial with it, which for most it is not.

Radii and their tolerance are those of linf, in which findings are told: the authors' are an l2 length's. And the
tolerance is not one number. Flips of a block that holds a share of the features gain about the square root of that
share, so this is how exact a bisection is after them, and by how much the fast check asks nearer than the best radius:
what would be bisected in vain costs one query. It becomes finer once no flip brings anything.
"""

from typing import Literal

import numpy as np
from pydantic import Field

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.method import Method, Params
from algorithms.seam.access import Access
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.searches.labels.line import narrowed
from algorithms.searches.signs.sign_search import Signs, SignSearch
from algorithms.threats.threat import Threat

COARSEST = 0.08  # of all features: with it the median of queries to linf 0.3 on an MNIST network fell from 84 to 51
FINER = 4  # times, after a pass that brought nothing


class RaySParams(Params):
    name: Literal["rays"] = "rays"
    tolerance: float = Field(
        1e-4, ge=1e-6, le=0.1, description="of the last bisections, as a share of the distance reached"
    )


def minimum(params: RaySParams, threat: Threat) -> Cost:
    """Count the clean row, a corner, one step of its bisection, the final re-query."""
    del params, threat
    return Cost(queries=4)


def run(cohort: Cohort, threat: Threat, params: RaySParams) -> Conversation:
    """Flip until a pass over all blocks brings nothing, or epsilon is reached; claim ever nearer points."""
    yield from RaySearch(cohort, threat, params).search()


class RaySearch(SignSearch):
    """A ray search bisects the ray of a sample's signs, or checks what they are worth with a block of them flipped."""

    def __init__(self, cohort: Cohort, threat: Threat, params: RaySParams) -> None:
        super().__init__(cohort, threat)
        n = len(self.x)
        self.finest = params.tolerance * np.sqrt(2.0**self.blocks.depth)
        self.tolerance = np.full(n, max(COARSEST, self.finest))  # where all features are flipped
        self.low, self.high = np.zeros(n), np.zeros(n)  # radii of the signs: not, and still adversarial
        self.is_bisecting = np.zeros(n, np.bool_)
        self.has_gained = np.zeros(n, np.bool_)  # in this pass

    def enter(self, who: Owners, stands: Mask) -> None:
        self._bisect(who[stands], self.best[who[stands]])

    def propose(self, who: Owners) -> tuple[Signs, Numbers]:
        is_bisecting = self.is_bisecting[who]
        self.blocks.flip(self.signs, who[~is_bisecting])
        check = self.best[who] - self._worth(who)
        return self.signs[who], np.where(is_bisecting, (self.low[who] + self.high[who]) / 2, check)

    def hear(self, who: Owners, radius: Numbers, wins: Mask, nearer: Mask) -> None:
        was_bisecting = self.is_bisecting[who]
        failed, passed = ~was_bisecting & ~nearer, ~was_bisecting & nearer
        self.blocks.flip(self.signs, who[failed])  # back
        self._turn(who[failed])
        self.has_gained[who[passed]] = True
        self._bisect(who[passed], radius[passed])
        halved = who[was_bisecting]
        self.low[halved], self.high[halved] = narrowed(self.low[halved], self.high[halved], wins[was_bisecting])
        self._end(halved)

    def _bisect(self, who: Owners, radius: Numbers) -> None:
        self.low[who], self.high[who], self.is_bisecting[who] = 0.0, np.minimum(radius, self.best[who]), True

    def _end(self, who: Owners) -> None:
        """End bisections that have come to the tolerance: the signs stay, and the next block is due."""
        ended = who[self.high[who] - self.low[who] <= self._worth(who)]
        self.is_bisecting[ended] = False
        self._turn(ended)

    def _worth(self, who: Owners) -> Numbers:
        """Tell by how much radii (m,) have to fall to be worth a bisection, and how exactly it is made."""
        best, share = self.best[who], self.tolerance[who] / np.sqrt(2.0 ** self.blocks.level[who])
        return np.asarray(np.maximum(share * best, self.resolution(who, best)))

    def _turn(self, who: Owners) -> None:
        """Go on to the next block, at last to single features over and over: a pass.

        After a pass that brought nothing bisect on with a finer tolerance, or end where there is none.
        """
        done = self.blocks.turn(who)
        self.blocks.level[done] = self.blocks.depth
        idle = done[~self.has_gained[done]]
        self.has_gained[done] = False
        self.is_over[idle] |= self.tolerance[idle] <= self.finest
        self.tolerance[idle] = np.maximum(self.finest, self.tolerance[idle] / FINER)
        self.blocks.part[idle], self.is_bisecting[idle] = -1, self.high[idle] > 0  # the signs as they are


METHOD = Method(
    name="rays",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.LINF,),
    goals=("untargeted",),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Chen & Gu, RayS, KDD 2020, arXiv:2006.12792",
    params=RaySParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=RaySParams(),
    chunk=100,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    tells_adbd=True,
    keeps_lattice=True,
)
