"""Climbs up a loss by slopes that are estimated from rows around a point, many samples at once, each in its own time.

A sample's point is asked, and while it is not adversarial, rows around it are, and it is moved by what they tell. A
success is pulled back towards the sample. At a given radius the climb then ends; without one it goes on from there
inside a smaller ball, and where that does not succeed, in one between that and the success. While nothing has
succeeded yet, the ball grows. A point that names no class is brought back towards the sample. How rows lie around a
point, and how it is moved, is the attack's own matter.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.projections import short_of_rounding
from algorithms.seam.access import Rows, Scores
from algorithms.seam.case import Cohort, Step
from algorithms.seam.claims import Note, UpperBound
from algorithms.seam.question import BATCH_BYTES, Owners
from algorithms.seam.questions.scores import AskScores
from algorithms.searches.labels.returns import Returns
from algorithms.searches.scores.margins import ScoreLoss, losses, margins
from algorithms.searches.scores.plateaus import Plateaus, flat_shares
from algorithms.threads import Work
from algorithms.threats.threat import Threat

SHRINK = 0.8  # a climb goes on inside this share of the distance it has reached
CLOSE = 0.98  # of that distance: a ball that holds no success and is as large as this is the last
BLOCK_NUMBERS = 2**18  # of the rows around points that are made at once: what a core's cache holds of them


class EstimatedClimb(ABC):
    """A climb is all samples': each has its point, asked or not, and the ball it moves in. Samples are flat, (n, d).

    `work` maps over blocks of samples.
    """

    patience: ClassVar[int]  # steps at a radius without a success, before another is tried where none was asked for

    def __init__(self, cohort: Cohort, threat: Threat, *, steps: int, pairs: int, loss: ScoreLoss, work: Work) -> None:
        n = len(cohort.labels)
        self.cohort, self.steps, self.pairs, self.loss, self.work = cohort, steps, pairs, loss, work
        self.shape = cohort.x.shape[1:]
        self.x: Rows = cohort.x.reshape(n, -1)
        self.threat = threat.arranged(lambda side: np.broadcast_to(side, self.shape).reshape(1, -1))
        self.farthest: Numbers = self.threat.farthest(self.x)
        self.size: Numbers = self.threat.lengths(self.x)
        self.radius, self.reached = np.zeros(n), np.full(n, np.inf)
        self.low, self.high = self.threat.hull(self.x, np.float32(0))  # of what a ball holds of each feature
        self.points, self.best = self.x.copy(), self.x.copy()  # what is asked next, and the nearest success so far
        self.is_asked, self.is_over = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        self.taken, self.here = np.zeros(n, np.int64), np.zeros(n, np.int64)  # steps: in all, and at this radius
        self.returns = Returns(self.x, self.threat)
        self.plateaus = Plateaus(*self.widths())

    @abstractmethod
    def widths(self) -> tuple[Numbers, Numbers]:
        """Tell how wide rows are spread around points at first, and how wide on a plateau at the most: (n,) each."""

    @abstractmethod
    def begin(self, who: Owners) -> None:
        """Make ready for the first step of these samples within a ball."""

    @abstractmethod
    def probe(self, who: Owners, ahead: Rows, behind: Rows) -> None:
        """Put valid rows on both sides of the points of these samples into `ahead` and `behind`, (m, pairs, d) each."""

    @abstractmethod
    def step(self, who: Owners, offsets: Rows, rises: Numbers, levels: Numbers) -> None:
        """Move the points of these samples within their balls.

        By how much the loss rises (m, pairs), 0 where it is not known, along the offsets (m, pairs, d) from each row
        behind to the one ahead. `levels` (m,): its mean over all of them.
        """

    def judge(self, scores: Scores, owners: Owners) -> tuple[Numbers, Mask]:
        """Measure the loss that is climbed, and tell which rows are adversarial: (m,) each."""
        targets = None if self.cohort.targets is None else self.cohort.targets[owners]
        told = scores, self.cohort.labels[owners], targets, self.cohort.are_probabilities
        margin = margins(*told)
        return margin if self.loss == "margin" else losses(self.loss, *told), margin > 0

    def told(self, who: Owners) -> Iterator[Note]:
        """Tell diagnostics of these samples after a step, where there are any."""
        del who
        yield from ()

    def confine(self, who: Owners, rows: Rows | Numbers) -> Rows:
        """Find the valid rows (m, d) nearest to these in the balls of their samples. In linf the balls are boxes."""
        confined: Rows
        if self.threat.norm is Norm.LINF:
            confined = np.clip(rows, self.low[who], self.high[who], dtype=np.float32)
        else:
            confined = self.threat.project(rows, self.x[who], self.radius[who])
        return confined

    def largest_radius(self) -> Numbers:
        """Find the radius (n,) of the largest ball that is of use: the one asked for, or half of all that is valid."""
        if self.threat.epsilon is not None:
            return np.full(len(self.x), self.threat.epsilon)
        return np.where(np.isfinite(self.farthest), self.farthest / 2, np.maximum(1.0, self.size))

    def climb(self) -> Step[None]:
        """Climb until all are over; claim successes."""
        self._enter(np.arange(len(self.x)), self._first_radius())
        while len(live := np.flatnonzero(self.cohort.live & ~self.is_over & ~self.plateaus.are_blind)):
            for who in self._in_batches(live):
                yield from self._beat(who)

    def _first_radius(self) -> Numbers:
        """Begin wide: at a quarter of the distance of the farthest input, or a tenth of the sample's size."""
        if self.threat.epsilon is not None:
            return np.full(len(self.x), self.threat.epsilon)
        return np.where(np.isfinite(self.farthest), self.farthest / 4, 0.1 * np.maximum(1.0, self.size))

    def _enter(self, who: Owners, radius: Numbers) -> None:
        """Go on within other radii (m,), from the nearest successes so far or from where the points are."""
        self.radius[who], self.here[who], self.is_asked[who] = radius, 0, False
        self._each(who, lambda part: self._place(who[part]))

    def _place(self, who: Owners) -> None:
        inner = short_of_rounding(self.radius[who], self.size[who]).astype(np.float32)
        self.low[who], self.high[who] = self.threat.hull(self.x[who], np.nextafter(inner, np.float32(0))[:, None])
        start = np.where(np.isfinite(self.reached[who])[:, None], self.best[who], self.points[who])
        self.points[who] = self.confine(who, start)
        self.begin(who)

    def _in_batches(self, live: Owners) -> Iterator[Owners]:
        """Take few enough samples at a time that the rows of a beat are bounded."""
        size = max(1, BATCH_BYTES // (8 * self.pairs * self.x.shape[1]))
        for start in range(0, len(live), size):
            yield live[start : start + size]

    def _beat(self, who: Owners) -> Step[None]:
        """One question about these samples: the way back of some, the points of others, rows around the rest's."""
        is_back, is_asked = self.returns.are_under_way(who), self.is_asked[who]
        back, new, climbing = who[is_back], who[~is_back & ~is_asked], who[~is_back & is_asked]
        first, second = len(back), len(back) + len(new)
        rows = np.empty((second + len(climbing) * 2 * self.pairs, self.x.shape[1]), np.float32)
        if first:
            rows[:first] = self.returns.middles(back)
        rows[first:second] = self.points[new]
        around = rows[second:].reshape(len(climbing), 2, self.pairs, self.x.shape[1])
        self._each(climbing, lambda part: self.probe(climbing[part], around[part, 0], around[part, 1]))
        owners = np.concatenate([back, new, np.repeat(climbing, 2 * self.pairs)])
        scores = yield from AskScores(rows.reshape(-1, *self.shape), owners)
        losses, wins = self.judge(scores, owners)
        yield from self._hear_back(back, rows[:first], wins[:first])
        yield from self._hear_points(new, losses[first:second], wins[first:second])
        yield from self._hear_around(climbing, around, losses[second:].reshape(around.shape[:3]))

    def _each(self, who: Owners, do: Callable[[slice], None]) -> None:
        """Do it block by block, side by side where there is much to do."""
        size = max(1, BLOCK_NUMBERS // (2 * self.pairs * self.x.shape[1]))
        for _ in self.work(do, [slice(start, start + size) for start in range(0, len(who), size)]):
            pass

    def _hear_back(self, back: Owners, rows: Rows, wins: Mask) -> Step[None]:
        yield from self._claim(back[wins], rows[wins])
        for owner in self.returns.hear(back, wins).tolist():
            if self.threat.epsilon is not None or self.reached[owner] == 0:
                self.is_over[owner] = True
            else:
                self._enter(np.array([owner]), np.array([SHRINK * self.reached[owner]]))

    def _hear_points(self, new: Owners, losses: Numbers, wins: Mask) -> Step[None]:
        """Go on from these points. Where one names no class, nothing around it may: it goes halfway to the sample."""
        is_lost = np.isnan(losses)
        self.is_asked[new] = ~is_lost
        won, lost = new[wins], new[is_lost]
        yield from self._claim(won, self.points[won])
        self.returns.begin(won, self.points[won])
        if len(lost):
            self.points[lost] = self.confine(lost, (self.points[lost] + self.x[lost]) / 2)
            self.begin(lost)
            self._count(lost)

    def _claim(self, owners: Owners, rows: Rows) -> Step[None]:
        if not len(owners):
            return
        away = self.threat.lengths(rows - self.x[owners])
        for owner, distance, row in zip(owners.tolist(), away.tolist(), rows, strict=True):
            if distance < self.reached[owner]:
                self.reached[owner], self.best[owner] = distance, row
                yield UpperBound(row.reshape(self.shape).copy(), owner=owner)

    def _hear_around(self, who: Owners, around: Rows, losses: Numbers) -> Step[None]:
        """Step by the losses (m, 2, pairs) of the rows (m, 2, pairs, d)."""
        if not len(who):
            return
        rises = losses[:, 0] - losses[:, 1]
        flat = flat_shares(rises)
        rises[~np.isfinite(rises)] = 0.0
        known = np.isfinite(losses)
        levels = np.where(known, losses, 0).sum(axis=(1, 2)) / np.maximum(1, known.sum(axis=(1, 2)))
        self._each(who, lambda part: self.step(who[part], around[part, 0] - around[part, 1], rises[part], levels[part]))
        for owner in self.plateaus.see(who, *flat).tolist():
            yield Note(self.plateaus.of(owner), owner=owner)
        yield from self.told(who)
        self.is_asked[who] = False
        self._count(who)
        self.here[who] += 1
        if self.threat.epsilon is None:
            self._try_another(who[self.here[who] >= self.patience])

    def _count(self, who: Owners) -> None:
        self.taken[who] += 1
        self.is_over[who[self.taken[who] >= self.steps]] = True

    def _try_another(self, stuck: Owners) -> None:
        """Try another radius: between this and the nearest success, or twice as large where there is no success yet."""
        has_won = np.isfinite(self.reached[stuck])
        self.is_over[stuck[has_won & (self.radius[stuck] >= CLOSE * self.reached[stuck])]] = True
        other = np.where(has_won, (self.radius[stuck] + self.reached[stuck]) / 2, 2 * self.radius[stuck])
        can = has_won | (self.radius[stuck] < self.farthest[stuck])
        self._enter(stuck[can], other[can])


def threads_for(x: Rows, pairs: int) -> int:
    """Count the numbers of a block of samples (n, *shape) with the rows around them; 0 where one holds them all."""
    return 0 if 2 * pairs * x.size <= BLOCK_NUMBERS else max(BLOCK_NUMBERS, 2 * pairs * x[0].size)
