"""Auto-PGD within one radius: steepest ascent with momentum whose step halves itself where the loss stops rising.

Croce & Hein, ICML 2020, algorithm 1, in l2 and linf; Croce & Hein, ICML 2021, algorithm 1, in l1. Each moves by a rule
of its own; both keep the point with the largest loss and look back at checkpoints: is the step too long?

Departure: a sample leaves as soon as it is adversarial. How its loss would go on rising says nothing more.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.losses import LossName, derivative, value
from algorithms.seam.access import Labels, Scores
from algorithms.seam.case import Step
from algorithms.seam.question import Owners
from algorithms.seam.questions.gradients import AskGradient
from algorithms.searches.tallies.stationarity import Stationarity
from algorithms.searches.tallies.successes import Successes
from algorithms.searches.tallies.vanishing import Vanishing

FlatPoints = NDArray[np.float32]  # (m, d)


@dataclass
class Ascending:
    """These are the samples still ascending, in the symbols of the paper: every field has one entry a sample."""

    owners: Owners  # positions in the cohort
    radius: Numbers
    x: FlatPoints  # x^(k)
    before: FlatPoints  # x^(k-1)
    slopes: FlatPoints  # the gradient of the loss at x^(k)
    f: Numbers  # the loss there
    x_max: FlatPoints  # the point with the largest loss so far
    slopes_max: FlatPoints
    f_max: Numbers
    eta: Numbers  # the step

    def only(self, kept: NDArray[np.bool_] | NDArray[np.int64]) -> "Ascending":
        """Keep these samples."""
        return replace(self, **{field.name: getattr(self, field.name)[kept] for field in fields(self)})


class StepRule(Protocol):
    """A rule says how samples move in its norm, and corrects their steps at checkpoints."""

    def begin(self, state: Ascending) -> None:
        """Sets the first steps."""

    def move(self, state: Ascending) -> FlatPoints:
        """Returns x^(k+1), within radius and box."""

    def look_back(self, state: Ascending, k: int, rises: Mask) -> None:
        """Takes in whose loss the last move has raised, and corrects the steps where k is a checkpoint."""

    def keep(self, kept: Mask) -> None:
        """Forgets the samples that have left."""


@dataclass(frozen=True)
class AdaptiveAscent:
    """An ascent climbs one loss for a number of steps, one gradient each."""

    successes: Successes
    stationarity: Stationarity
    vanishing: Vanishing
    loss: LossName
    rule: Callable[[int], StepRule]  # by the number of steps

    def climb(
        self, owners: Owners, start: FlatPoints, radius: Numbers, aims: Labels | None, *, steps: int, leave: bool = True
    ) -> Step[tuple[list[int], FlatPoints]]:
        """Climb from start (m, d); returns who became adversarial (claimed on the way), and each one's x_max (m, d).

        `aims` (n,) are the classes that the loss aims at, by position in the cohort; None: whichever leads. Where
        nobody may `leave`, nobody is looked at: the ball is wider than the one that is asked about.
        """
        state = Ascending(
            owners=owners,
            radius=radius,
            x=start,
            before=start,
            slopes=np.zeros_like(start),
            f=np.full(len(owners), -np.inf),
            x_max=start.copy(),
            slopes_max=np.zeros_like(start),
            f_max=np.full(len(owners), -np.inf),
            eta=np.zeros(len(owners)),
        )
        rule, won, ends = self.rule(steps), [], start.copy()
        place = np.arange(len(owners))  # of those still ascending, among `owners`
        for k in range(steps + 1):
            scores, state.slopes = yield from self._ask(state, aims, is_last=k == steps)
            rises = self._measure(state, scores, aims)
            through = self.successes.margin(scores, state.owners) > 0 if leave else np.zeros(len(state.owners), bool)
            if k < steps:
                through = yield from self.successes.confirm(state.owners, state.x, through)
            won += yield from self.successes.pull_back(state.owners[through], state.x[through])
            ends[place] = state.x_max
            stay = ~through & self.successes.cohort.live[state.owners]
            if k == steps or not stay.any():
                break
            if k == 0:
                rule.begin(state)
            else:
                rule.look_back(state, k, rises)
            if not stay.all():
                state, place = state.only(stay), place[stay]
                rule.keep(stay)
            state.before, state.x = state.x, rule.move(state)
        return won, ends

    def _ask(self, state: Ascending, aims: Labels | None, *, is_last: bool) -> Step[tuple[Scores, FlatPoints]]:
        """Scores at x^(k) and the gradient of the loss there, which nobody needs at the last point."""
        if is_last:
            return (yield from self.successes.ask(state.x, state.owners)), state.slopes
        owners = state.owners

        def cotangent(scores: Scores, positions: Owners) -> Scores:
            these = owners[positions]
            classes = self.successes.classes(scores, these, None if aims is None else aims[these])
            slopes: Scores = derivative(self.loss, scores, *classes)
            return slopes

        scores, slopes = yield from AskGradient(self.successes.shaped(state.x), owners, cotangent=cotangent)
        found = np.where(np.isfinite(slopes), slopes, 0).reshape(state.x.shape)
        self.vanishing.see(owners, found)
        offsets = state.x - self.successes.x[owners]
        self.stationarity.see(owners, offsets, found, state.radius, self.successes.threat)
        return scores, found

    def _measure(self, state: Ascending, scores: Scores, aims: Labels | None) -> Mask:
        """Tell whose loss has risen, and keep the points with the largest loss."""
        labels, towards = self.successes.cohort.labels[state.owners], None if aims is None else aims[state.owners]
        f = value(self.loss, np.asarray(scores, np.float64), labels, towards)
        rises, is_best = f > state.f, f > state.f_max
        state.f = f
        state.x_max[is_best], state.slopes_max[is_best] = state.x[is_best], state.slopes[is_best]
        state.f_max[is_best] = f[is_best]
        return np.asarray(rises)
