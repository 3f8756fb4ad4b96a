"""Searches over signs: every feature moves by the same radius, up or down, and only which way is looked for.

The point of signs s and radius r is x + r s, brought into the box. How signs are changed, and how far is asked for
them, is the attack's own matter: each sample asks one row a beat.

Signs are in one order whatever the layout of the upload: channel, row, column, as `Canvas` reads a sample.
"""

import math
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.windows import Canvas
from algorithms.seam.access import Rows
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import UpperBound
from algorithms.seam.labeling import is_fooled
from algorithms.seam.question import Owners
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.labels.first_points import first_points
from algorithms.searches.signs.blocks import Blocks
from algorithms.searches.signs.corners import corners
from algorithms.threats.threat import Threat

Signs = NDArray[np.int8]  # (m, d), 1 or -1
FLOAT32 = float(np.finfo(np.float32).eps)


class SignSearch(ABC):
    """A search is all samples': each has its signs, and the distance of its nearest adversarial point so far."""

    def __init__(self, cohort: Cohort, threat: Threat) -> None:
        self.cohort, self.asked_threat = cohort, threat
        self.canvas = Canvas.of(cohort.x.shape[1:])
        self.x: Rows = self._flat(cohort.x)  # (n, d)
        self.threat = threat.arranged(lambda side: self._flat(side[None]) if side.ndim else side)
        n, d = self.x.shape
        self.signs: Signs = np.ones((n, d), np.int8)
        self.best = np.full(n, np.inf)  # distance of the nearest adversarial point
        self.is_over = np.zeros(n, np.bool_)
        self.blocks = Blocks(n, d)
        self.blocks.part[:] = -1  # the signs as they are come first
        self._spacing = threat.spacing
        self._finest: Numbers = np.abs(self.x).min(axis=1).astype(np.float64)

    @abstractmethod
    def enter(self, who: Owners, stands: Mask) -> None:
        """Begin: with signs that are known to be adversarial at the radius `best`, or, where `stands` (m,) is not, with
        those of a point that is.
        """

    @abstractmethod
    def propose(self, who: Owners) -> tuple[Signs, Numbers]:
        """Tell what to ask next of each sample: signs (m, d) and a radius (m,)."""

    @abstractmethod
    def hear(self, who: Owners, radius: Numbers, wins: Mask, nearer: Mask) -> None:
        """Take in which points were adversarial, and which of them nearer than all before: (m,) each."""

    def search(self) -> Conversation:
        """Begin, then ask what is proposed until all are over; claim whatever is nearer than before."""
        yield from self._begin()
        while len(who := self._who(~self.is_over)):
            signs, radius = self.propose(who)
            wins, nearer = yield from self._ask(who, signs, radius)
            self.hear(who, radius, wins, nearer)

    def resolution(self, who: Owners, radius: Numbers) -> Numbers:
        """Tell how far apart radii (m,) have to be for their points to differ: in float32, or on a lattice."""
        return np.asarray(np.maximum(FLOAT32 * (self._finest[who] + radius), self._spacing))

    def _begin(self) -> Conversation:
        """Begin at a corner of the box, or, where none that is tried is adversarial or others found a point, there."""
        hinted = np.array([case.hint.point is not None for case in self.cohort.cases])
        for signs, radius in corners(self.x, self.threat):
            who = self._who(~hinted & np.isinf(self.best))
            yield from self._ask(who, np.broadcast_to(signs, (len(who), len(signs))), radius[who])
            self.signs[who[np.isfinite(self.best[who])]] = signs
        stands = np.isfinite(self.best)
        missing = self._who(np.isinf(self.best))
        found = yield from first_points(self.cohort, self.asked_threat, who=missing, scouts=0)
        self.best[missing] = found.distance[missing]
        self.signs[missing] = np.where(self._flat(found.points[missing]) < self.x[missing], -1, 1)
        self.is_over |= np.isinf(self.best) | (self.best <= self.epsilon)
        who = self._who(~self.is_over)
        self.enter(who, stands[who])

    def _who(self, are_meant: Mask) -> Owners:
        return np.flatnonzero(self.cohort.live & are_meant)

    def _ask(self, who: Owners, signs: Signs, radius: Numbers) -> Step[tuple[Mask, Mask]]:
        """Ask the points of these signs and radii. Tells which are adversarial, and nearer than all before: claimed."""
        if not len(who):
            return np.zeros(0, np.bool_), np.zeros(0, np.bool_)  # an empty question would be a beat for nothing
        x = self.x if len(who) == len(self.x) else self.x[who]
        points = signs * radius.astype(np.float32)[:, None]
        points += x
        self.threat.clip(points, x, out=points)
        labels = yield from AskLabels(self._restored(points), who)
        targets = self.cohort.targets
        wins = is_fooled(labels, self.cohort.labels[who], None if targets is None else targets[who])
        reach = np.full(len(who), np.inf)
        for i in np.flatnonzero(wins).tolist():
            reach[i] = self.threat.distance(points[i], x[i])
        nearer = reach < self.best[who]
        for i in np.flatnonzero(nearer).tolist():
            yield UpperBound(self._restored(points[[i]])[0], owner=int(who[i]))
        self.best[who[nearer]] = reach[nearer]
        nearest = 1.5 * self.resolution(who[nearer], reach[nearer])  # what is nearer cannot be told from the sample
        self.is_over[who[nearer]] = reach[nearer] <= np.maximum(self.epsilon, nearest)
        return wins, nearer

    @property
    def epsilon(self) -> float:
        return self.asked_threat.epsilon or 0.0

    def _flat(self, samples: Rows) -> Rows:
        """(m, *shape) -> (m, d)"""
        images = np.ascontiguousarray(self.canvas.view(samples))
        return images.reshape(len(images), math.prod(images.shape[1:]))

    def _restored(self, points: Rows) -> Rows:
        """(m, d) -> (m, *shape)"""
        canvas = self.canvas
        return canvas.restore(points.reshape(-1, canvas.channels, canvas.height, canvas.width))
