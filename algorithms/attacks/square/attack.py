"""Square attack: random search with square-shaped changes. One query a step, kept if the loss falls.

Andriushchenko et al., ECCV 2020, arXiv:1912.00049; in l1 after Croce & Hein, ICML 2021, arXiv:2103.01208. At a given
radius it looks for an adversarial point on the ball's surface. Without one it starts wide, pulls every success back
towards the sample and goes on from there inside a smaller ball, until its steps are used up. A vector of features is
searched by segments instead of squares.

The schedule of window sizes runs over a fixed horizon and not over the budget: a longer budget replays the shorter.

Written for a cohort, because a step is little arithmetic: sample by sample, calls of numpy took a third of a small
network's time (`benchmarks/square_rows.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

import numpy as np
from pydantic import Field

from algorithms.attacks.square.proposals import Images, Proposals, proposals
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.projections import short_of_rounding
from algorithms.mathematics.windows import HORIZON, Canvas, shares_at
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Rows, Scores
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Kind, UpperBound
from algorithms.seam.cost import Cost
from algorithms.seam.labeling import NO_CLASS, named
from algorithms.seam.question import Owners
from algorithms.seam.questions.scores import AskScores
from algorithms.searches.labels.line import Segment, narrowed
from algorithms.threads import Work, side_by_side
from algorithms.threats.threat import Threat

HALVINGS = 10  # of the segment from the sample to a success
SHRINK = 0.8  # a search goes on inside this share of the distance it has reached
PATIENCE = 50  # steps at a radius without any success so far, before the radius is doubled
BLOCK_NUMBERS = 2**18  # of the images that proposals are made for at once: what a core's cache holds of them

Part = Owners | slice
Asked = TypeVar("Asked")


class SquareParams(Params):
    name: Literal["square"] = "square"
    initial_share: float | None = Field(
        None, gt=0, le=1, description="first share of pixels in a window; null: 0.05 in linf, 0.1 in l2, 0.8 in l1"
    )
    steps: int = Field(HORIZON, ge=1, le=1_000_000, description="search steps, one query each")


def minimum(params: SquareParams, threat: Threat) -> Cost:
    """Count the clean row, the first guess, one step, the final re-query."""
    del params, threat
    return Cost(queries=4)


def run(cohort: Cohort, threat: Threat, params: SquareParams) -> Conversation:
    """Ask what the searches propose, one row a sample, until all are over; claim what is better than before."""
    with side_by_side(numbers_at_once(cohort.x)) as work:
        search = SquareSearch(cohort, threat, params, work)
        search.enter(np.arange(len(cohort.labels)), search.first_radius())
        while len(asking := search.propose()):
            scores = yield from AskScores(search.canvas.restore(search.points[search.whole(asking)]), asking)
            for owner in search.hear(asking, scores):
                yield UpperBound(search.canvas.restore(search.points[[owner]])[0], owner=int(owner))


def numbers_at_once(x: Rows) -> int:
    """Count the numbers of a block of samples; 0 where one block holds them all."""
    return 0 if x.size <= BLOCK_NUMBERS else max(BLOCK_NUMBERS, x[0].size)


class SquareSearch:
    """A search is all samples': each has its best point so far, the ball it moves in, and the point it asks next."""

    def __init__(self, cohort: Cohort, threat: Threat, params: SquareParams, work: Work) -> None:
        self.cohort, self.steps, self.work = cohort, params.steps, work
        self.canvas = Canvas.of(cohort.x.shape[1:])
        self.x: Images = np.ascontiguousarray(self.canvas.view(cohort.x))
        self.threat = threat.arranged(lambda side: self.canvas.view(side[None]) if side.ndim else side)
        self.farthest: Numbers = self.threat.farthest(self.x)
        self.rngs = [stream.at(0) for stream in cohort.streams]
        self.kind = proposals(threat.norm)
        self.share = self.kind.initial_share if params.initial_share is None else params.initial_share
        self.size: Numbers = self.threat.lengths(self.x)
        n = len(self.x)
        self.radius, self.iteration = np.zeros(n), np.zeros(n, np.int64)
        self.best = self.x.copy()  # the point with the least loss met within the radius
        self.loss = np.full(n, np.inf)  # its loss
        self.has_ever_won, self.is_over = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        self.is_new = np.zeros(n, np.bool_)  # the radius has just changed
        self.points = self.x.copy()  # what is asked next
        self.returns = Returns(self.x, self.threat)

    def first_radius(self) -> Numbers:
        """Begin wide: at a quarter of the distance of the farthest input, or a tenth of the sample's size."""
        if self.threat.epsilon is not None:
            return np.full(len(self.x), self.threat.epsilon)
        return np.where(np.isfinite(self.farthest), self.farthest / 4, 0.1 * np.maximum(1.0, self.size))

    def enter(self, who: Owners, radius: Numbers) -> None:
        """Go on within other radii (m,), from the best points so far."""
        self.radius[who], self.loss[who], self.is_new[who] = radius, np.inf, True

    def propose(self) -> Owners:
        """Put what is asked next into `points`. Returns whose (m,): nobody's where all searches are over."""
        asking: list[Owners] = []
        while not any(map(len, asking)):
            live = np.flatnonzero(self.cohort.live & ~self.is_over)
            if not len(live):
                return live
            is_back = self.returns.are_under_way(live)
            back, searching = live[is_back], live[~is_back]
            self._each(self._go_back, self._blocks(back))
            self._widen(searching)
            new, stepping = searching[self.is_new[searching]], searching[~self.is_new[searching]]
            self._arrive(new)
            asking = [back, new, self._step(stepping)]
        return np.sort(np.concatenate(asking))

    def _widen(self, who: Owners) -> None:
        """Double the radius where no point has ever succeeded for a while, and there is room."""
        if self.threat.epsilon is None:
            is_due = ~self.is_new[who] & (self.iteration[who] % PATIENCE == PATIENCE - 1)
            stuck = who[is_due & ~self.has_ever_won[who] & (self.radius[who] < self.farthest[who])]
            self.enter(stuck, 2 * self.radius[stuck])
            self.iteration[stuck] += 1

    def _arrive(self, who: Owners) -> None:
        """The first points within new radii: the best so far, as near as they allow, or a first guess."""
        self._each(self._shrink, self._blocks(who[self.has_ever_won[who]]))
        self._each(self._guess, self._blocks(who[~self.has_ever_won[who]]))

    def _go_back(self, part: Part) -> None:
        self.points[part] = self.returns.middles(part)

    def _shrink(self, part: Part) -> None:
        self.points[part] = self.best[part] = self._proposals(part).within(self.best[part])

    def _guess(self, part: Part) -> None:
        self.points[part] = self.best[part] = self._proposals(part).first()

    def _step(self, who: Owners) -> Owners:
        """The best points, changed in one window. Returns those that did change."""
        is_spent = self.iteration[who] >= self.steps
        self.is_over[who[is_spent]] = True
        who = who[~is_spent]
        shares = shares_at(self.iteration[who], self.share)
        self.iteration[who] += 1
        changed = np.zeros(len(self.x), np.bool_)

        def change(asked: tuple[float, Part]) -> None:
            share, part = asked
            self.points[part], changed[part] = self._proposals(part).next(self.best[part], share)

        self._each(change, [(float(s), part) for s in np.unique(shares) for part in self._blocks(who[shares == s])])
        return np.flatnonzero(changed)

    def _each(self, work: Callable[[Asked], None], parts: Sequence[Asked]) -> None:
        """Each part by itself, side by side where they are large."""
        for _ in self.work(work, parts):
            pass

    def _proposals(self, part: Part) -> Proposals:
        rngs = self.rngs[part] if isinstance(part, slice) else [self.rngs[i] for i in part]
        radius = short_of_rounding(self.radius[part], self.size[part])
        return self.kind(self.x[part], radius, self.threat, self.canvas, rngs)

    def _blocks(self, who: Owners) -> list[Part]:
        """Few enough samples at a time that what proposals take beside the cohort is bounded. One alone is a view."""
        size = max(1, BLOCK_NUMBERS // self.x[0].size)
        if size == 1:
            return [slice(owner, owner + 1) for owner in who.tolist()]
        return [self.whole(who[start : start + size]) for start in range(0, len(who), size)]

    def whole(self, who: Owners) -> Part:
        """Take everyone as a slice, by a view: the model has left all images cold, and a copy reads them again."""
        return slice(None) if len(who) == len(self.x) else who

    def hear(self, asking: Owners, scores: Scores) -> Owners:
        """Take the answers in. Returns those whose point is adversarial and better than what they had."""
        loss, wins = self._losses(scores, asking)
        is_back = self.returns.are_under_way(asking)
        nearer = asking[is_back & wins]
        self.best[nearer] = self.points[nearer]
        for owner in self.returns.hear(asking[is_back], wins[is_back]):
            self._return(int(owner))
        self.is_new[asking[~is_back]] = False
        is_better = ~is_back & (loss < self.loss[asking])
        better, won = asking[is_better], asking[is_better & wins]
        self.best[better], self.loss[better] = self.points[better], loss[is_better]
        self.has_ever_won[won] = True
        self.returns.begin(won, self.points[won])
        return np.concatenate([nearer, won])

    def _return(self, owner: int) -> None:
        """Back from halving: over at a given radius, else on within a smaller one."""
        reached = self.threat.distance(self.best[owner], self.x[owner])
        if self.threat.epsilon is not None or reached == 0.0:
            self.is_over[owner] = True
        else:
            self.enter(np.array([owner]), np.array([SHRINK * reached]))
            self.iteration[owner] += 1

    def _losses(self, scores: Scores, asking: Owners) -> tuple[Numbers, Mask]:
        """What is to fall, and which are adversarial: the margin, or targeted the cross-entropy. (m,) each."""
        z = np.asarray(scores, np.float64)
        aims = self.cohort.labels if self.cohort.targets is None else self.cohort.targets
        position = np.arange(len(z)), aims[asking]
        has_class: Mask = named(scores) != NO_CLASS
        z = np.where(has_class[:, None], z, 0.0)
        own, others = z[position], z.copy()
        others[position] = -np.inf
        rival = others.max(axis=1)
        if self.cohort.targets is None:
            loss, wins = own - rival, own < rival
        else:
            top = np.maximum(own, rival)
            loss, wins = np.log(np.exp(z - top[:, None]).sum(axis=1)) + top - own, own > rival
        return np.where(has_class, loss, np.inf), has_class & wins


class Returns:
    """Returns are segments from samples to adversarial points, each halved in its own time towards the sample."""

    def __init__(self, x: Images, threat: Threat) -> None:
        self._x, self._far, self._threat = x, x.copy(), threat
        self._low, self._high = np.zeros(len(x)), np.ones(len(x))  # shares: not, and still adversarial
        self._left = np.zeros(len(x), np.int64)  # halvings

    def are_under_way(self, who: Owners) -> Mask:
        """Tell who (m,) of these samples has halvings left."""
        return np.asarray(self._left[who] > 0)

    def begin(self, who: Owners, far: Images) -> None:
        """Begin anew from these adversarial points (m, C, H, W)."""
        self._far[who], self._low[who], self._high[who], self._left[who] = far, 0.0, 1.0, HALVINGS

    def middles(self, who: Part) -> Images:
        """Compute the points (m, C, H, W) to be asked."""
        segments = Segment(self._x[who], self._far[who], self._threat)
        return np.asarray(segments.at((self._low[who] + self._high[who]) / 2))

    def hear(self, who: Owners, wins: Mask) -> Owners:
        """Take in which middles were adversarial. Returns those at their end."""
        self._low[who], self._high[who] = narrowed(self._low[who], self._high[who], wins)
        self._left[who] -= 1
        at_end: Owners = who[self._left[who] == 0]
        return at_end


_NEWEST = Method(
    name="square",
    version="2",
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
)
METHOD = replace(_NEWEST, earlier=(replace(_NEWEST, version="1", norms=(Norm.L2, Norm.LINF)),))
