"""First points: where each sample of a cohort is known to be adversarial before its method begins to walk.

The starts are those of one sample alone, in the same order: what others found, noise, other samples of the upload, the
last resorts. After the first success a start is a mere direction, and one query tells whether the boundary is nearer
there; what is nearer is drawn back roughly. All samples look in step, each at its own expense.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Cohort, Conversation, Step
from algorithms.seam.claims import UpperBound
from algorithms.seam.labeling import is_fooled
from algorithms.seam.question import Owners
from algorithms.seam.questions.labels import AskLabels
from algorithms.seam.questions.together import in_step
from algorithms.searches.labels import starts
from algorithms.searches.labels.line import connect, halve, within
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

    @property
    def are_found(self) -> Mask:
        """Tell which samples (n,) have one."""
        return np.isfinite(self.distance)


def first_points(
    cohort: Cohort, threat: Threat, *, draw: int = 0, who: Owners | None = None, scouts: int = SCOUTS
) -> Step[FirstPoints]:
    """Look for an adversarial point of each sample, or of `who` (m,) alone, and claim it.

    A sample is done where a point within epsilon is found, where it has tried so many `scouts` after its first
    success, or where none is left. `draw`: of each sample's stream, for the noise.
    """
    looks = [_Look(case, threat) for case in cohort.cases]
    looking = range(len(looks)) if who is None else who.tolist()
    yield from in_step({i: looks[i].all_around(draw, scouts) for i in looking}, cohort.live)
    return FirstPoints(np.stack([look.point for look in looks]), np.array([look.distance for look in looks]))


class _Look:
    """A look is one sample's, and knows the nearest point that it has found."""

    def __init__(self, case: Case, threat: Threat) -> None:
        self.case, self.threat = case, threat
        self.point, self.distance = case.x, np.inf

    def all_around(self, draw: int, scouts: int) -> Conversation:
        """Try starts until they bring nothing more."""
        case, threat, rng = self.case, self.threat, self.case.stream.at(draw)
        usual = chain(starts.hinted(case), starts.noise(case, threat, rng), starts.pool(case, threat))
        for start in chain(usual, self._last_starts(rng)):
            yield from self._try(start)
            scouts -= bool(np.isfinite(self.distance))
            if scouts < 0 or self.distance <= (threat.epsilon or 0.0):
                return

    def _last_starts(self, rng: np.random.Generator) -> Iterator[Rows]:
        """Only until the sample is fooled."""
        for start in starts.last(self.case, self.threat, rng):
            if np.isfinite(self.distance):
                return
            yield start

    def _try(self, start: Rows) -> Conversation:
        near = within(connect(self.case.x, start, self.threat), (1 - ROUGHLY) * self.distance)
        if not (yield from self._is_adversarial(near)):
            return
        yield UpperBound(near)
        line = connect(self.case.x, near, self.threat)
        share = yield from halve(line, self._is_adversarial, halvings=HALVINGS, ends_at_rounding=True)
        self.point = line.at(share)
        self.distance = self.threat.distance(self.point, self.case.x)
        yield UpperBound(self.point)

    def _is_adversarial(self, row: Rows) -> Step[bool]:
        labels = yield from AskLabels(row[None])
        return bool(is_fooled(labels, self.case.label, self.case.target)[0])
