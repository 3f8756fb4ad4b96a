"""The successes of a cohort under attack: which points are adversarial, each sample's nearest, and what is claimed.

A method that moves a whole cohort by gradients says where its points are and what it was answered there. Gradients come
from another runtime than labels and scores do, and near the boundary the two may disagree: a point counts as soon as
the model that is queried calls it adversarial.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Array, Mask, Numbers
from algorithms.mathematics.losses import adversarial_margin
from algorithms.seam.access import Labels
from algorithms.seam.case import Cohort, Step
from algorithms.seam.claims import UpperBound
from algorithms.seam.question import Owners
from algorithms.seam.questions.scores import AskScores
from algorithms.searches.labels.line import Segment, halve
from algorithms.threats.threat import Threat

HALVINGS = 8  # of the segment from the sample to a success: 1/256 of its length


@dataclass
class Successes:
    """Successes are kept as flat rows (n, d), and in numpy one number a sample; `owners` are positions in the cohort.

    `threat` is that of the cohort, laid out for flat rows.
    """

    cohort: Cohort
    threat: Threat[Any]
    distance: Numbers = field(init=False)  # of the nearest success so far; inf where there is none

    def __post_init__(self) -> None:
        xp = array_namespace(self.cohort.x)
        n = self.cohort.x.shape[0]
        self.shape = tuple(self.cohort.x.shape[1:])
        self.x: Array = xp.reshape(self.cohort.x, (n, -1))
        self.threat = self.threat.arranged(
            lambda side: xp.reshape(xp.broadcast_to(xp.asarray(side, device=self.x.device), self.shape), (1, -1))
        )
        self.nearest = xp.asarray(self.x, copy=True)  # the nearest success so far; the sample where there is none
        self.distance = np.full(n, np.inf)

    def farthest(self) -> Numbers:
        """Measure the largest distance (n,) that is valid: nothing beyond is worth trying."""
        return on_host(self.threat.farthest(self.x))

    def begin_at_hints(self, confidence: float = 0.0) -> Step[None]:
        """Ask about the points where hints say that samples break; claim those that are adversarial by so much."""
        points_of = {i: case.hint.point for i, case in enumerate(self.cohort.cases)}
        hinted: dict[int, Array] = {i: point for i, point in points_of.items() if point is not None}
        if hinted:
            told, points = np.array(list(hinted), np.int64), np.stack([point.ravel() for point in hinted.values()])
            scores = yield from self.ask(self.like(points), told)
            through = self.margin(scores, told) > confidence
            yield from self.claim(told[through], points[through])

    def confirm(self, owners: Owners, points: Array, through: Mask) -> Step[Mask]:
        """Ask the model that is queried about the points that seem to be `through`; returns which of them are."""
        seeming = np.flatnonzero(through)
        if len(seeming):
            scores = yield from self.ask(points[seeming], owners[seeming])
            through[seeming] = self.margin(scores, owners[seeming]) > 0
        return through

    def pull_back(self, owners: Owners, points: Array, halvings: int = HALVINGS) -> Step[list[int]]:
        """Yield claims of the points, and of all that are adversarial on halving the way back. Returns the owners."""
        if not len(owners):
            return []

        def ask(between: Array) -> Step[Mask]:
            scores = yield from self.ask(between, owners)
            through = self.margin(scores, owners) > 0
            yield from self.claim(owners[through], between[through])
            return through

        yield from self.claim(owners, points)
        segments = Segment(self.x[owners], points, self.threat, precision=np.float64)
        yield from halve(segments, ask, halvings=halvings, lines=len(owners))
        return [int(owner) for owner in owners]

    def claim(self, owners: Owners, points: Array) -> Step[None]:
        """Claim points that the model calls adversarial, where they are nearer than what was claimed before."""
        if not len(owners):
            return
        away = on_host(self.threat.lengths(points - self.x[owners]))
        for i, r, point in zip(owners, away, points, strict=True):
            if r < self.distance[i] and self.cohort.live[i]:
                self.distance[i], self.nearest[i] = r, point
                yield UpperBound(on_host(point).reshape(self.shape), owner=int(i))

    def ask(self, points: Array, owners: Owners) -> AskScores:
        """Put the question for the scores of points (m, d)."""
        return AskScores(self.shaped(points), owners)

    def margin(self, scores: Array, owners: Owners) -> Numbers:
        """Tell by how much rows with these scores are adversarial, (m,): above 0 they are. NaN where no class is."""
        targets = self.cohort.targets
        classes = self.classes(scores, owners, None if targets is None else targets[owners])
        return on_host(adversarial_margin(scores, *classes))

    def classes(self, scores: Array, owners: Owners, aims: Labels | None) -> tuple[Array, Array | None]:
        """Find the labels of these samples and the classes aimed at, (m,), where the scores are."""
        xp = array_namespace(scores)
        labels = xp.asarray(self.cohort.labels[owners], device=scores.device)
        return labels, None if aims is None else xp.asarray(aims, device=scores.device)

    def project(self, points: Array, owners: Owners, radius: Numbers) -> Array:
        """Find the valid points (m, d) nearest to these within radii (m,) of their samples."""
        return self.threat.project(points, self.x[owners], self.like(radius))

    def shaped(self, points: Array) -> Array:
        """Give points (m, d) the shape of the samples, (m, *shape)."""
        return array_namespace(points).reshape(points, (points.shape[0], *self.shape))

    def like(self, numbers: Numbers) -> Array:
        """Move numbers to where the points are."""
        return array_namespace(self.x).asarray(numbers, device=self.x.device)


def on_host(array: Array) -> NDArray[Any]:
    """Give the array where numpy can read it."""
    return np.asarray(array if isinstance(array, np.ndarray) else array.cpu())
