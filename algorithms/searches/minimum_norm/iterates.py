"""Iterates: one point a sample, moved under gradients, of which the nearest adversarial ones are claimed.

What attacks on the minimum norm share. They differ in how they move; here the model is asked where a point stands.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.losses import LossName, adversarial_margin, derivative
from algorithms.mathematics.norms import Counting
from algorithms.seam.access import Labels, Rows
from algorithms.seam.case import Cohort, Step
from algorithms.seam.question import Owners
from algorithms.seam.questions.gradients import AskGradient
from algorithms.searches.tallies.successes import Successes
from algorithms.searches.tallies.vanishing import Vanishing
from algorithms.threats.threat import Threat

BEHIND = 1.002  # times the way to a boundary
TINY = 1e-12  # no slope is taken for flatter
NO_AIM = -1


@dataclass(frozen=True)
class Seen:
    """What was seen at points says by how much they are adversarial, which count so, and how a loss changes there."""

    margins: Numbers  # (m,) of the class aimed at, or of whichever leads; 0 where no class is
    wins: Mask  # (m,) adversarial; where nearer than all before, so to the model that is queried
    slopes: NDArray[np.float64]  # (m, d) of the loss that leads away from the label; 0 where it is no number

    @property
    def steepness(self) -> Numbers:
        """Measure the slopes in l2, (m,); at least a little above 0, to divide by."""
        return np.asarray(np.maximum(np.sqrt((self.slopes * self.slopes).sum(axis=1)), TINY))

    @property
    def uphill(self) -> NDArray[np.float64]:
        """Find the directions (m, d) of the slopes, of length 1 in l2; 0 where a slope vanished."""
        return self.slopes / self.steepness[:, None]


@dataclass
class Iterates:
    """Iterates are the points of a cohort, flat rows (n, d)."""

    cohort: Cohort
    threat: Threat[Any]
    successes: Successes = field(init=False)

    def __post_init__(self) -> None:
        self.successes = Successes(self.cohort, self.threat)
        self.threat, self.x = self.successes.threat, self.successes.x
        self.points: Rows = self.x.copy()
        self._vanishing = Vanishing(len(self.x))

    def begin(self) -> Step[None]:
        """Move to the points that hints name, where the model says that they are adversarial."""
        yield from self.successes.begin_at_hints()
        self.points = self.successes.nearest.copy()

    def going(self) -> Owners:
        """Name the samples that are worth asking about: not beyond their budget, nor broken within epsilon."""
        epsilon = self.threat.epsilon
        return np.flatnonzero(self.cohort.live & (epsilon is None or self.successes.distance > epsilon))

    def away(self, owners: Owners) -> Numbers:
        """Measure how far (m,) these samples' points are from them."""
        return np.asarray(self.threat.lengths(self.points[owners] - self.x[owners]))

    def look(self, owners: Owners, loss: LossName, aims: Labels | None = None) -> Step[Seen]:
        """Ask for slopes at these samples' points: a gradient each, and a query for each nearest success.

        `aims` (m,): the classes to go to. NO_AIM, or None: the target, or whichever leads.
        """
        points, targets = self.points[owners], self.cohort.targets
        aims = np.full(len(owners), NO_AIM) if aims is None else aims
        aims = aims if targets is None else targets[owners]

        def cotangent(scores: Any, positions: Owners) -> Any:
            led = derivative(loss, scores, *self.successes.classes(scores, owners[positions], None))
            if (aims[positions] == NO_AIM).all():
                return led
            labels, to = self.successes.classes(scores, owners[positions], np.maximum(aims[positions], 0))
            is_led = array_namespace(scores).asarray(aims[positions] == NO_AIM, device=scores.device)
            return array_namespace(scores).where(is_led[:, None], led, derivative(loss, scores, labels, to))

        scores, gradients = yield from AskGradient(self.successes.shaped(points), owners, cotangent=cotangent)
        slopes = np.nan_to_num(gradients.reshape(points.shape).astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        self._vanishing.see(owners, slopes)
        margins = np.nan_to_num(self.successes.margin(scores, owners).astype(np.float64))
        wins = margins > 0
        nearer = wins & (self.away(owners) < self.successes.distance[owners])
        held = yield from self.successes.confirm(owners, points, nearer.copy())
        yield from self.successes.claim(owners[held], points[held])
        if targets is None and (aims != NO_AIM).any():
            to_aim = adversarial_margin(scores, self.cohort.labels[owners], np.maximum(aims, 0))
            margins = np.where(aims == NO_AIM, margins, np.nan_to_num(to_aim.astype(np.float64)))
        return Seen(margins, wins & (held | ~nearer), slopes)

    @property
    def side(self) -> float | None:
        """Measure a side of the box; None where they are not all alike, or have no end."""
        sides = self.threat.box.sides
        return float(np.mean(sides)) if np.isfinite(sides).all() and np.ptp(sides) == 0 else None

    def first_order(self, owners: Owners, seen: Seen) -> Numbers:
        """Measure (m,) how far it is to these samples' points, and on from there to the boundary, to first order.

        As if at a distance of 1 where no slope leads there.
        """
        ahead = self.threat.reach(seen.slopes, np.abs(seen.margins), self.points[owners])
        return np.asarray(self.away(owners) + np.where(np.isfinite(ahead), ahead, 1.0))

    def crossing(self, owners: Owners, seen: Seen) -> Rows:
        """Find the points (m, d) nearest to these samples that lie a little behind the boundary, to first order.

        Where it is seen from the samples themselves.
        """
        x = self.x[owners]
        if isinstance(self.threat.norm, Counting):
            count = self.first_order(owners, seen)
            return self.threat.crossing(seen.slopes, np.abs(seen.margins), count, x)
        step = self.threat.step_onto_plane(x, seen.slopes, BEHIND * seen.margins)
        return np.asarray(self.threat.clip(x + step, x))

    def changes(self, owners: Owners) -> NDArray[np.float64]:
        """Tell by how much these samples' points differ from them, (m, d)."""
        return np.asarray(self.points[owners].astype(np.float64) - self.x[owners])

    def tell(self) -> Step[None]:
        """Note of each sample how often its gradient was zero, with a warning where it nearly always was."""
        yield from self._vanishing.tell(self.cohort.live)
