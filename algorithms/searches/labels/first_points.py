"""First points: where each sample of a cohort is known to be adversarial before its method begins to walk.

The starts are those of one sample alone, in the same order: what others found, noise, other samples of the upload, the
last resorts. After the first success a start is a mere direction, and one query tells whether the boundary is nearer
there; what is nearer is drawn back roughly. All samples look in step, each at its own expense.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Labels, Rows
from algorithms.seam.case import Case, Cohort, Step
from algorithms.seam.claims import UpperBound
from algorithms.seam.labeling import is_fooled
from algorithms.seam.question import Owners
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.labels import starts
from algorithms.searches.labels.line import Segment
from algorithms.searches.labels.returns import Returns
from algorithms.threats.threat import Threat

SCOUTS = 60  # starts tried after the first success, one query each where they bring nothing
ROUGHLY = 0.1  # precision of a start's distance, and by how much another must be nearer to be worth more queries
HALVINGS = 4  # of a line, which come to that precision


@dataclass(frozen=True)
class FirstPoints:
    """First points are one a sample: adversarial, claimed, and at `distance`; the sample itself, at inf, where none is.

    `points` (n, *shape), `distance` (n,).
    """

    points: Rows
    distance: Numbers


def first_points(
    cohort: Cohort, threat: Threat, *, draw: int = 0, who: Owners | None = None, scouts: int = SCOUTS
) -> Step[FirstPoints]:
    """Look for an adversarial point of each sample, or of `who` (m,) alone, and claim it.

    A sample is done where a point within epsilon is found, where it has tried so many `scouts` after its first
    success, or where none is left. `draw`: of each sample's stream, for the noise.
    """
    looks = _Looks(cohort, threat, draw, scouts)
    if who is not None:
        looks.is_over[np.setdiff1d(np.arange(len(cohort.cases)), who)] = True
    while len(asking := looks.propose()):
        labels = yield from AskLabels(looks.asked[asking], asking)
        for owner in looks.hear(asking, labels):
            yield UpperBound(looks.points[owner].copy(), owner=int(owner))
    return FirstPoints(looks.points, looks.distance)


class _Looks:
    """Looks are all samples': each is at its next start, or on the way back from one, halved in its own time."""

    def __init__(self, cohort: Cohort, threat: Threat, draw: int, scouts: int) -> None:
        n = len(cohort.cases)
        self.cohort, self.threat, self.x = cohort, threat, cohort.x
        self.points, self.asked = self.x.copy(), self.x.copy()
        self.distance = np.full(n, np.inf)
        self.scouts = np.full(n, scouts)  # left
        self.is_over = np.zeros(n, np.bool_)
        self.returns = Returns(self.x, threat, halvings=HALVINGS)
        self.starts = [self._starts(i, case, case.stream.at(draw)) for i, case in enumerate(cohort.cases)]

    def _starts(self, owner: int, case: Case, rng: np.random.Generator) -> Iterator[Rows]:
        yield from starts.hinted(case)
        yield from starts.noise(case, self.threat, rng)
        yield from starts.pool(case, self.threat)
        for start in starts.last(case, self.threat, rng):
            if np.isfinite(self.distance[owner]):  # only until the sample is fooled
                return
            yield start

    def propose(self) -> Owners:
        """Put what is asked next into `asked`. Returns whose (m,)."""
        going = np.flatnonzero(self.cohort.live & ~self.is_over)
        is_back = self.returns.are_under_way(going)
        back, looking = going[is_back], going[~is_back]
        if len(back):
            self.asked[back] = self.returns.middles(back)
        for owner in looking.tolist():
            start = next(self.starts[owner], None)
            if start is None:
                self.is_over[owner] = True
            else:
                self.asked[owner] = start
        looking = looking[~self.is_over[looking]]
        nearer = looking[np.isfinite(self.distance[looking])]
        if len(nearer):
            self.asked[nearer] = self._drawn_in(nearer)
        return np.sort(np.concatenate([back, looking]))

    def _drawn_in(self, who: Owners) -> Rows:
        """Come as near with a start as is worth more queries: on the straight line."""
        x, far = self.x[who], self.asked[who]
        wanted, length = (1 - ROUGHLY) * self.distance[who], self.threat.lengths(far - x)
        shares = np.minimum(1, wanted / np.maximum(length, np.finfo(np.float64).tiny))
        return np.asarray(Segment(x, far, self.threat).at(shares))

    def hear(self, asking: Owners, labels: Labels) -> Owners:
        """Take the answers in. Returns whose point is to be claimed: a start, or the end of the way back from it."""
        aims = None if self.cohort.targets is None else self.cohort.targets[asking]
        wins = is_fooled(labels, self.cohort.labels[asking], aims)
        is_back = self.returns.are_under_way(asking)
        won = asking[wins]
        if len(won):
            self.points[won] = self.asked[won]
            self.distance[won] = self.threat.lengths(self.points[won].astype(np.float64) - self.x[won])
        at_end = self.returns.hear(asking[is_back], wins[is_back])
        begun = asking[wins & ~is_back]
        self.returns.begin(begun, self.points[begun])
        done = np.concatenate([at_end, asking[~wins & ~is_back]])
        self.scouts[done] -= np.isfinite(self.distance[done])
        is_within = self.distance <= (self.threat.epsilon or 0.0)
        self.is_over |= is_within | (self.scouts < 0)
        return np.unique(np.concatenate([begun, at_end, won[is_within[won]]]))
