"""A walk within a ball: one row a sample and beat, kept where the loss falls, until the answer changes.

At a given radius a walk ends with its first success, which is pulled back towards the sample. Without one it goes on
from there inside a smaller ball, until its steps are used up; and while nothing has succeeded yet, its ball grows.
How a walk steps, and from where, is the attack's own matter.

All samples walk together, each in its own time: calls of numpy sample by sample took a third of a small network's time
(`benchmarks/square_rows.py`).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeVar

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.projections import short_of_rounding
from algorithms.mathematics.windows import Canvas
from algorithms.seam.access import Rows, Scores
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Note, UpperBound
from algorithms.seam.question import Owners
from algorithms.seam.questions.scores import AskScores
from algorithms.searches.labels.returns import Block, Returns
from algorithms.threads import Work, side_by_side
from algorithms.threats.threat import Threat

SHRINK = 0.8  # a walk goes on inside this share of the distance it has reached
PATIENCE = 50  # steps at a radius without any success so far, before the radius is doubled
BLOCK_NUMBERS = 2**18  # of the images that steps are made for at once: what a core's cache holds of them

Asked = TypeVar("Asked")


class BallWalk(ABC):
    """A walk is all samples': each has its best point so far, the ball it moves in, and the point it asks next.

    Samples are read as images (n, C, H, W), channels first, by the threat, too. `work` maps over blocks of samples.
    """

    shrink: ClassVar[float] = SHRINK

    def __init__(self, cohort: Cohort, threat: Threat, steps: int, work: Work) -> None:
        self.cohort, self.steps, self.work = cohort, steps, work
        self.canvas = Canvas.of(cohort.x.shape[1:])
        self.x: Rows = np.ascontiguousarray(self.canvas.view(cohort.x))
        self.threat = threat.arranged(lambda side: self.canvas.view(side[None]) if side.ndim else side)
        self.farthest: Numbers = self.threat.farthest(self.x)
        self.size: Numbers = self.threat.lengths(self.x)
        n = len(self.x)
        self.radius, self.iteration = np.zeros(n), np.zeros(n, np.int64)
        self.best = self.x.copy()  # the point with the least loss met within the radius
        self.loss = np.full(n, np.inf)  # its loss
        self.has_ever_won, self.is_over = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        self.is_new = np.zeros(n, np.bool_)  # the radius has just changed
        self.was_kept, self.was_left = np.zeros(n, np.bool_), np.zeros(n, np.bool_)  # the last step, since then
        self.was_flat = np.zeros(n, np.bool_)  # the last step has changed nothing
        self.keeps_ties = np.zeros(n, np.bool_)  # a step that changes nothing is kept, too
        self.points = self.x.copy()  # what is asked next
        self.returns = Returns(self.x, self.threat)
        self.notes: list[Note] = []  # to be claimed

    @abstractmethod
    def arrive(self, who: Owners) -> None:
        """Put a first point within new radii into `points` and `best`: the best so far drawn in, or a first guess."""

    @abstractmethod
    def step(self, who: Owners) -> Owners:
        """Put the points one step from the best ones into `points`. Returns those (m,) that differ from these."""

    @abstractmethod
    def judge(self, scores: Scores, asking: Owners) -> tuple[Numbers, Mask]:
        """Tell what is to fall, inf where a row names no class, and which rows are adversarial: (m,) each."""

    def first_radius(self) -> Numbers:
        """Begin wide: at a quarter of the distance of the farthest input, or a tenth of the sample's size."""
        if self.threat.epsilon is not None:
            return np.full(len(self.x), self.threat.epsilon)
        return np.asarray(np.where(np.isfinite(self.farthest), self.farthest / 4, 0.1 * np.maximum(1.0, self.size)))

    def enter(self, who: Owners, radius: Numbers) -> None:
        """Go on within other radii (m,), from the best points so far."""
        self.radius[who], self.loss[who], self.is_new[who] = radius, np.inf, True
        self.was_kept[who] = self.was_left[who] = False

    def inner_radius(self, block: Block) -> Numbers:
        """Shorten radii (m,) by what rounding points to float32 may add."""
        radius = self.radius[block]
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(radius), short_of_rounding(radius, self.size[block]), radius)

    def propose(self) -> Owners:
        """Put what is asked next into `points`. Returns whose (m,): nobody's where all walks are over."""
        asking: list[Owners] = []
        while not any(map(len, asking)):
            live = np.flatnonzero(self.cohort.live & ~self.is_over)
            if not len(live):
                return live
            is_back = self.returns.are_under_way(live)
            back, searching = live[is_back], live[~is_back]
            self.each(self._go_back, self.blocks(back))
            self._widen(searching)
            new, stepping = searching[self.is_new[searching]], searching[~self.is_new[searching]]
            self.arrive(new)
            asking = [back, new, self._step(stepping)]
        return np.sort(np.concatenate(asking))

    def hear(self, asking: Owners, scores: Scores) -> Owners:
        """Take the answers in. Returns those whose point is adversarial and better than what they had."""
        loss, wins = self.judge(scores, asking)
        is_back = self.returns.are_under_way(asking)
        nearer = asking[is_back & wins]
        self.best[nearer] = self.points[nearer]
        for owner in self.returns.hear(asking[is_back], wins[is_back]):
            self._return(int(owner))
        is_step = ~is_back & ~self.is_new[asking]
        self.is_new[asking[~is_back]] = False
        is_tie = (loss == self.loss[asking]) & np.isfinite(loss)
        is_better = ~is_back & ((loss < self.loss[asking]) | (self.keeps_ties[asking] & is_tie))
        self.was_flat[asking] = is_tie
        better, won = asking[is_better], asking[is_better & wins]
        self.best[better], self.loss[better] = self.points[better], loss[is_better]
        self.has_ever_won[won] = True
        self.was_kept[asking[is_step]], self.was_left[asking[is_step]] = is_better[is_step], ~is_better[is_step]
        self.returns.begin(won, self.points[won])
        return np.concatenate([nearer, won])

    def each(self, work: Callable[[Asked], None], parts: Sequence[Asked]) -> None:
        """Work each part by itself, side by side where they are large."""
        for _ in self.work(work, parts):
            pass

    def blocks(self, who: Owners) -> list[Block]:
        """Take few enough samples at a time that what steps take beside the cohort is bounded. One alone is a view."""
        size = max(1, BLOCK_NUMBERS // self.x[0].size)
        if size == 1:
            return [slice(owner, owner + 1) for owner in who.tolist()]
        return [self.whole(who[start : start + size]) for start in range(0, len(who), size)]

    def whole(self, who: Owners) -> Block:
        """Take everyone as a slice, by a view: the model has left all images cold, and a copy reads them again."""
        return slice(None) if len(who) == len(self.x) else who

    def _widen(self, who: Owners) -> None:
        """Double the radius where no point has ever succeeded for a while, and there is room."""
        if self.threat.epsilon is None:
            is_due = ~self.is_new[who] & (self.iteration[who] % PATIENCE == PATIENCE - 1)
            stuck = who[is_due & ~self.has_ever_won[who] & (self.radius[who] < self.farthest[who])]
            self.enter(stuck, 2 * self.radius[stuck])
            self.iteration[stuck] += 1

    def _go_back(self, block: Block) -> None:
        self.points[block] = self.returns.middles(block)

    def _step(self, who: Owners) -> Owners:
        """One step of those who have one left. Returns those who ask."""
        is_spent = self.iteration[who] >= self.steps
        self.is_over[who[is_spent]] = True
        return self.step(who[~is_spent])

    def _return(self, owner: int) -> None:
        """Back from halving: over at a given radius, else on within a smaller one."""
        reached = self.threat.distance(self.best[owner], self.x[owner])
        if self.threat.epsilon is not None or reached == 0.0:
            self.is_over[owner] = True
        else:
            self.enter(np.array([owner]), np.array([self.shrink * reached]))
            self.iteration[owner] += 1


def walk(begun: Callable[[Work], BallWalk], x: Rows) -> Conversation:
    """Ask what walks propose, one row a sample, until all are over; claim what is better than before."""
    with side_by_side(numbers_at_once(x)) as work:
        walks = begun(work)
        while len(asking := walks.propose()):
            scores = yield from AskScores(walks.canvas.restore(walks.points[walks.whole(asking)]), asking)
            for owner in walks.hear(asking, scores):
                yield UpperBound(walks.canvas.restore(walks.points[[owner]])[0], owner=int(owner))
            yield from walks.notes
            walks.notes.clear()


def numbers_at_once(x: Rows) -> int:
    """Count the numbers of a block of samples; 0 where one block holds them all."""
    return 0 if x.size <= BLOCK_NUMBERS else max(BLOCK_NUMBERS, x[0].size)
