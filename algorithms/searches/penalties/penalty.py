"""Minimizing distance + c f again and again, each time with another constant c a sample: as Carlini & Wagner do.

    for each constant:                                       ConstantSearch
        begin at the sample; first where hints say that it breaks
        for each step: ask at the point; keep it where it is adversarial and nearer than all before; move

How a point moves, and what is measured as its distance, is the attack's own matter: a `Descent`. The whole cohort moves
together; constants, distances and leaving early are each sample's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Conversation, Step
from algorithms.seam.question import Owners
from algorithms.searches.penalties.constant_search import ConstantSearch
from algorithms.searches.penalties.hinge import Hinge
from algorithms.searches.penalties.sounding import Sounding

STUCK = 0.9999  # of the last look's loss (Carlini & Wagner's published code)
REPEATS = 10  # constants from which on the last one is the best of those before (their code)


class Descent(Protocol):
    """A descent is how points of some samples move downhill on distance + c f, from where they begin."""

    points: Rows  # (m, d) where the model is asked; valid
    term: Numbers  # (m,) what is minimized beside c f, at the points
    measure: Numbers  # (m,) by what successes are compared; where it is less, a point is better

    def move(self, slopes: NDArray[Any], step: int) -> None:
        """Take one step, given the slopes (m, d) of c f at the points."""

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Go on with some of the samples only."""


@dataclass
class Penalty:
    """A penalty is minimized for a cohort.

    `hinges`: f of the first descent, of the second, and so on; the last one's is that of all that follow.
    """

    sounding: Sounding
    hinges: Sequence[Hinge]
    search: ConstantSearch
    steps: int
    looks: int  # in a descent, at whether a sample still gets anywhere

    def minimize(self, begin: Callable[[Owners, Rows], Descent], constants: int) -> Conversation:
        """Descend with so many constants, and note how often gradients were zero.

        A descent begins at points (m, d): the first where hints say that samples break, all others at the samples.
        """
        successes = self.sounding.successes
        for outer in range(constants):
            owners = self.sounding.going()
            if not len(owners):
                break
            if outer == constants - 1 and constants >= REPEATS:
                self.search.repeat_the_best(owners)
            hinge = self.hinges[min(outer, len(self.hinges) - 1)]
            start = (successes.x if outer else successes.nearest)[owners]
            won = yield from self._descend(owners, begin(owners, start), hinge)
            self.search.learn(owners, won[owners])
        yield from self.sounding.vanishing.tell(successes.cohort.live)

    def _descend(self, owners: Owners, descent: Descent, hinge: Hinge) -> Step[Mask]:
        """Returns who of the cohort (n,) was adversarial on the way."""
        won = np.zeros(len(self.sounding.best), np.bool_)
        before = np.full(len(self.sounding.best), np.inf)  # the loss at the last look
        for step in range(self.steps):
            points = descent.points
            scores, slopes = yield from self.sounding.ask(owners, points, hinge)
            through = yield from self.sounding.keep(owners, points, descent.measure, scores, hinge.confidence)
            won[owners[through]] = True
            stays = np.isin(owners, self.sounding.going())
            if self.looks and step % max(1, self.steps // self.looks) == 0:
                loss = descent.term + self.search.constant[owners] * hinge.values(scores, owners)
                stays &= ~(loss > STUCK * before[owners])
                before[owners] = loss
            if not stays.any():
                break
            if not stays.all():
                rows = np.flatnonzero(stays)
                owners, slopes = owners[rows], slopes[rows]
                descent.keep(rows)
            descent.move(self.search.constant[owners, None] * slopes, step)
        return won
