"""The largest radius that optimized bounds prove: CROWN's own search first, and from where that ends, farther.

An optimized look costs several times what a plain one costs, and proves whatever that proves. So plain looks find the
radius to begin at, and each optimized one begins where the search of the look before it ended.
"""

from dataclasses import dataclass, field

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.question import Owners
from algorithms.seam.questions.margins import Region
from algorithms.seam.questions.optimized_margins import Ascents, AskOptimizedMargins, LineShares
from algorithms.searches.proofs import useful_radius
from algorithms.searches.proofs.radius import Prover, close_in
from algorithms.searches.proofs.zero import TOLERANCE, Look, ZeroSearch
from algorithms.threats.threat import Threat


@dataclass(frozen=True)
class OptimizingProver(Prover):
    """A prover that has bounds optimized, each sample's from where its last look ended."""

    ascents: Ascents
    reached: dict[int, LineShares | None] = field(default_factory=dict)

    @property
    def way(self) -> str:
        return "alpha_crown"

    def _ask(self, who: Owners, radii: Numbers) -> Step[Numbers]:
        region, starts = Region(self.cohort.x[who], radii, self.threat), tuple(map(self.reached.get, who.tolist()))
        answer = yield from AskOptimizedMargins(region, self.cohort.labels[who], self.rivals[who], self.ascents, starts)
        for owner, shares in zip(who.tolist(), answer.shares, strict=True):
            if shares is not None:
                self.reached[owner] = shares
        return answer.bounds


def run(cohort: Cohort, threat: Threat, ascents: Ascents, search_steps: int) -> Conversation:
    """End each sample in LowerBounds, the largest last; with an epsilon not proven in Abstained: `not_proven`."""
    prover = OptimizingProver(cohort, threat, "crown", ascents)
    if threat.epsilon is not None:
        yield from prover.answer_at(threat.epsilon)
        return
    proven = yield from _proven_by_crown(Prover(cohort, threat, "crown"), search_steps)
    who = np.flatnonzero((proven > 0) & (proven < prover.farthest()))
    if not len(who):
        return
    at_zero = yield from Prover(cohort, threat, "crown").bounds(who, np.zeros(len(who)))
    searches = {
        owner: _beyond(float(proven[owner]), float(margins.min()), float(prover.farthest()[owner]))
        for owner, margins in zip(who.tolist(), at_zero, strict=True)
    }
    yield from close_in(prover, searches, range(1, search_steps + 1))


def _proven_by_crown(prover: Prover, search_steps: int) -> Step[Numbers]:
    """Find radii (n,) that plain lines prove: those that hints tell, or else the largest; 0 where none is in reach."""
    told = np.minimum(prover.cohort.proven, prover.farthest())
    hinted = np.flatnonzero(told > 0)
    if len(hinted):
        bounds = yield from prover.bounds(hinted, told[hinted])
        holds = (bounds > 0).all(axis=1)
        for owner, margins in zip(hinted[holds].tolist(), bounds[holds], strict=True):
            yield prover.claim(owner, float(told[owner]), margins, steps=1)
        told[hinted[~holds]] = 0.0
    if (told > 0).all():
        return told
    searches = yield from useful_radius.search(prover, np.flatnonzero(told == 0), search_steps)
    for owner, search in searches.items():
        told[owner] = search.proven
    return told


def _beyond(proven: float, at_zero: float, farthest: float) -> ZeroSearch:
    """Look hardly beyond what CROWN proves, and then where the margin would end if it fell on as it did.

    Where nothing is free, as in a linear model, the first look ends the search.
    """
    zero = Look(0.0, at_zero)
    return ZeroSearch(
        farthest=farthest,
        next=min((1 + TOLERANCE) * proven, farthest),
        newest=zero,
        before=zero,
        proven=proven,
        looks=1,
    )
