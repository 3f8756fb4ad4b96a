"""Minimizing distance + c f again and again, each time with another constant c a sample: as Carlini & Wagner do.

    for each constant:                                       ConstantSearch
        begin at the sample
        for each step: ask at the point; keep it where it is adversarial and nearer than all before; move

How a point moves, and what is measured as its distance, is the attack's own matter: a `Descent`. The whole cohort moves
together; constants, distances and leaving early are each sample's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Array, Mask, Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Conversation, Step
from algorithms.seam.question import Owners
from algorithms.seam.questions.gradients import AskGradient
from algorithms.searches.constant_search import ConstantSearch
from algorithms.searches.hinge import Hinge
from algorithms.searches.successes import Successes, on_host
from algorithms.searches.vanishing import Vanishing

STUCK = 0.9999  # of the last look's loss (Carlini & Wagner's published code)
NEARER = 0.999  # a success is worth a query where it has less than this share of what the last one had
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
    """A penalty is minimized for a cohort; `best` (n,) are the least measures of all successes so far.

    `hinges`: f of the first descent, of the second, and so on; the last one's is that of all that follow.
    """

    successes: Successes
    hinges: Sequence[Hinge]
    search: ConstantSearch
    steps: int
    looks: int  # in a descent, at whether a sample still gets anywhere
    best: Numbers = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.successes.cohort.labels)
        self.best = np.full(n, np.inf)
        self._vanishing = Vanishing(n)

    def minimize(self, begin: Callable[[Owners], Descent], constants: int) -> Conversation:
        """Descend with so many constants, and note how often gradients were zero."""
        for outer in range(constants):
            owners = self._going()
            if not len(owners):
                break
            if outer == constants - 1 and constants >= REPEATS:
                self.search.repeat_the_best(owners)
            hinge = self.hinges[min(outer, len(self.hinges) - 1)]
            won = yield from self._descend(owners, begin(owners), hinge)
            self.search.learn(owners, won[owners])
        yield from self._vanishing.tell(self.successes.cohort.live)

    def _going(self) -> Owners:
        """Who is neither spent, nor broken within epsilon, nor held at the sample by a gradient that is zero there."""
        epsilon = self.successes.threat.epsilon
        within = np.zeros(len(self.best), np.bool_) if epsilon is None else self.successes.distance <= epsilon
        return np.flatnonzero(self.successes.cohort.live & ~within & ~self._vanishing.always)

    def _descend(self, owners: Owners, descent: Descent, hinge: Hinge) -> Step[Mask]:
        """Returns who of the cohort (n,) was adversarial on the way."""
        won = np.zeros(len(self.best), np.bool_)
        before = np.full(len(self.best), np.inf)  # the loss at the last look
        for step in range(self.steps):
            points = descent.points
            scores, slopes = yield from self._ask(owners, points, hinge)
            through = yield from self._keep(owners, descent, scores, hinge.confidence)
            won[owners[through]] = True
            stays = np.isin(owners, self._going())
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

    def _ask(self, owners: Owners, points: Rows, hinge: Hinge) -> Step[tuple[Array, NDArray[np.float64]]]:
        """Scores at the points, and the slopes (m, d) of f; 0 where they are no numbers."""

        def cotangent(scores: Array, positions: Owners) -> Array:
            return hinge.derivative(scores, owners[positions])

        shaped = self.successes.shaped(points)
        scores, slopes = yield from AskGradient(shaped, owners, cotangent=cotangent)
        flat = np.reshape(on_host(slopes), points.shape).astype(np.float64)
        flat = np.nan_to_num(flat, nan=0.0, posinf=0.0, neginf=0.0)
        short = hinge.values(scores, owners) > 0  # elsewhere there is nothing to climb
        self._vanishing.see(owners[short], flat[short])
        return scores, flat

    def _keep(self, owners: Owners, descent: Descent, scores: Array, confidence: float) -> Step[Mask]:
        """Claim the points that are adversarial and nearer than all before. Returns which (m,) are adversarial."""
        through: Mask = self.successes.margin(scores, owners) > confidence
        nearer = np.flatnonzero(through & (descent.measure < NEARER * self.best[owners]))
        if len(nearer):
            points, who = descent.points[nearer], owners[nearer]
            confirmed = yield from self.successes.confirm(who, points, np.ones(len(nearer), np.bool_))
            through[nearer] = confirmed
            who, points = who[confirmed], points[confirmed]
            self.best[who] = descent.measure[nearer[confirmed]]
            yield from self.successes.claim(who, points)
        return through
