"""ADBA: signs compared two by two at one approximate radius, without the exact distance of any boundary.

Wang, Zuo, Huang, Chen, ADBA: Approximation Decision Boundary Approach for Black-Box Adversarial Attacks, AAAI 2025,
arXiv:2406.04998. In each iteration two candidates take the place of the signs s: s with one half of a block flipped,
and with the other. Both are asked at the best radius R so far. If one is adversarial there, it is the better; if none
is, s stays. If both are, they are asked at a smaller radius, the approximate decision boundary, until one is left: in
the middle of what is left of the radii, or at the median of where boundaries are found (ADBA-md).

Blocks begin with the halves of all features and are halved down to single ones, those then over and over. Three things
are not in the paper: that the first radius is adversarial is asked, not assumed; comparisons end at a share of the
radius, not at 0.0002 of it; and after a pass that brought nothing s itself, which is never compared, is bisected.
"""

from functools import cache
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

Boundary = Literal["median", "middle"]
# The density of t = 1 - r / R, for candidates whose boundaries r lie below R: a / (t + d)^b + c, as the authors
# have fitted it to images (their code).
A, B, C, D = 0.03133, 3.066, 0.16756, 0.13404
LAST = 2  # bisections of a sample's signs that brought nothing, one after the other, end its search
POINTS = 1201  # of t in [0, 1] at which its integral is tabulated


class ADBAParams(Params):
    name: Literal["adba"] = "adba"
    boundary: Boundary = Field(
        "median", description="where two candidates are told apart: at the `median` of boundaries, or in the `middle`"
    )
    tolerance: float = Field(1e-4, ge=1e-6, le=0.1, description="of comparisons, as a share of the distance reached")


def minimum(params: ADBAParams, threat: Threat) -> Cost:
    """Count the clean row, a corner, two candidates, the final re-query."""
    del params, threat
    return Cost(queries=5)


def run(cohort: Cohort, threat: Threat, params: ADBAParams) -> Conversation:
    """Compare until a pass over all blocks brings nothing, or epsilon is reached; claim ever nearer points."""
    yield from ADBASearch(cohort, threat, params).search()


class ADBASearch(SignSearch):
    """A search compares two candidates of each sample: the first is asked, then the second at the same radius."""

    def __init__(self, cohort: Cohort, threat: Threat, params: ADBAParams) -> None:
        super().__init__(cohort, threat)
        n = len(self.x)
        self.between = medians if params.boundary == "median" else middles
        self.tolerance = params.tolerance
        self.top, self.radius = np.zeros(n), np.zeros(n)  # R, and what is asked now
        self.low, self.high = np.zeros(n), np.zeros(n)  # radii at which none of the two was adversarial, and both were
        self.is_second, self.first_won = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        self.is_bisecting = np.zeros(n, np.bool_)  # the signs themselves
        self.is_amid = np.zeros(n, np.bool_)  # a pass, not after it
        self.in_vain = np.zeros(n, np.int64)  # bisections, one after the other
        self.began = self.best.copy()  # this pass
        self.blocks.level[:], self.blocks.part[:] = 1, 0

    def enter(self, who: Owners, stands: Mask) -> None:
        del stands
        self.began[who] = self.best[who]
        self._compare(who)

    def propose(self, who: Owners) -> tuple[Signs, Numbers]:
        is_bisecting = self.is_bisecting[who]
        self.blocks.flip(self.signs, who[~is_bisecting])
        return self.signs[who], np.where(is_bisecting, middles(self.low[who], self.high[who]), self.radius[who])

    def hear(self, who: Owners, radius: Numbers, wins: Mask, nearer: Mask) -> None:
        del radius, nearer
        was_bisecting = self.is_bisecting[who]
        halved, compared = who[was_bisecting], who[~was_bisecting]
        self.low[halved], self.high[halved] = narrowed(self.low[halved], self.high[halved], wins[was_bisecting])
        self._end_bisections(halved)
        self.blocks.flip(self.signs, compared)  # back
        waits = ~self.is_second[compared] & self.blocks.have_another(compared)
        self._ask_second(compared[waits], wins[~was_bisecting][waits])
        self._judge(compared[~waits], wins[~was_bisecting][~waits])

    def _compare(self, who: Owners) -> None:
        """Begin with the next two candidates, at the best radius."""
        self.top[who] = self.radius[who] = self.high[who] = self.best[who]
        self.low[who] = 0.0

    def _ask_second(self, who: Owners, first_won: Mask) -> None:
        self.first_won[who], self.is_second[who] = first_won, True
        self.blocks.part[who] += 1

    def _judge(self, who: Owners, wins: Mask) -> None:
        """Choose between two candidates, by the answer (m,) to the last: a block without another has one candidate."""
        is_second = self.is_second[who]
        one, two = np.where(is_second, self.first_won[who], wins), is_second & wins
        self.high[who] = np.where(one & two, self.radius[who], self.high[who])
        self.low[who] = np.where(one | two, self.low[who], self.radius[who])
        is_kept = ~one & ~two & (self.radius[who] == self.top[who])
        is_open = (one == two) & ~is_kept
        is_equal = is_open & (self.high[who] - self.low[who] <= self._finest_step(who))
        self.blocks.flip(self.signs, who[two & ~one])
        self.blocks.part[who[is_second]] -= 1
        self.blocks.flip(self.signs, who[(one & ~two) | is_equal])
        self.is_second[who] = False
        again = who[is_open & ~is_equal]
        self.radius[again] = self.between(self.low[again], self.high[again], self.top[again])
        self._turn(who[~is_open | is_equal])
        self._bisect_at_once(who[one ^ two])

    def _turn(self, who: Owners) -> None:
        """Go on to the next two blocks, at last to single features over and over: a pass.

        After a pass that brought nothing the signs themselves are bisected.
        """
        self.blocks.part[who[self.blocks.have_another(who)]] += 1
        done = self.blocks.turn(who)
        self.blocks.level[done] = max(1, self.blocks.depth)
        has_gained = self._has_gained(done)
        self.in_vain[done[has_gained]] = 0
        self.is_bisecting[done[~has_gained]] = True
        self.began[done] = self.best[done]
        self._compare(who)

    def _bisect_at_once(self, who: Owners) -> None:
        """Bisect new signs after a bisection in vain: the next candidates could take their place at the same radius."""
        amid = who[(self.in_vain[who] > 0) & ~self.is_bisecting[who]]
        self.is_bisecting[amid] = self.is_amid[amid] = True

    def _has_gained(self, who: Owners) -> Mask:
        return np.asarray(self.best[who] <= (1 - self.tolerance) * self.began[who])

    def _end_bisections(self, who: Owners) -> None:
        """Go on after bisections that have come to the tolerance.

        The second in vain after a pass, one after the other, is the last: signs may have changed at the same radius.
        """
        ended = who[self.high[who] - self.low[who] <= self._finest_step(who)]
        self.in_vain[ended] = np.where(self._has_gained(ended), 0, self.in_vain[ended] + ~self.is_amid[ended])
        self.is_over[ended] |= self.in_vain[ended] == LAST
        self.is_bisecting[ended] = self.is_amid[ended] = False
        self._compare(ended)

    def _finest_step(self, who: Owners) -> Numbers:
        return np.asarray(np.maximum(self.tolerance * self.high[who], self.resolution(who, self.high[who])))


def middles(low: Numbers, high: Numbers, top: Numbers | None = None) -> Numbers:
    """Find the middle (m,) of what is left of the radii."""
    del top
    return (low + high) / 2


def medians(low: Numbers, high: Numbers, top: Numbers) -> Numbers:
    """Find the radii (m,) below which, of the boundaries between these, half are found, where `top` is R."""
    at, mass = _tabulated()
    nearest, farthest = (np.interp(1 - radius / top, at, mass) for radius in (high, low))
    return np.asarray(top * (1 - np.interp((nearest + farthest) / 2, mass, at)))


@cache
def _tabulated() -> tuple[Numbers, Numbers]:
    """Points t, and the integral of the density up to there."""
    t = np.linspace(0.0, 1.0, POINTS)
    return t, C * t + A / (B - 1) * (D ** (1 - B) - (t + D) ** (1 - B))


METHOD = Method(
    name="adba",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.LINF,),
    goals=("untargeted",),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Wang et al., ADBA, AAAI 2025, arXiv:2406.04998",
    params=ADBAParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=ADBAParams(),
    chunk=100,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    keeps_lattice=True,
)
