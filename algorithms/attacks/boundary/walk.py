"""A walk of the boundary attack: all samples step together, one row each a beat, and their distances never grow.

Written for a cohort, because a step is little arithmetic: sample by sample, numpy's calls would take longer than a
small network.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.attacks.boundary.step_lengths import IN_ALL, ON_SPHERE, SPEED, SPHERE_SPEED, StepLengths
from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Labels, Rows
from algorithms.seam.case import Cohort
from algorithms.seam.labeling import is_fooled
from algorithms.seam.question import Owners
from algorithms.searches.directions.draws import Draws
from algorithms.searches.labels.first_points import FirstPoints
from algorithms.threats.threat import Threat

SHORTEST = 1e-6  # epsilon, below which a step is hardly a move in float32: the walk has come to rest
LEAST_SINE = 1e-3  # of a direction with the way to the sample: what is left of a smaller one is rounding


class SphereWalk:
    """A walk knows where each sample's point is, how far away, and what is asked about it next; rows are flat, (d,)."""

    def __init__(
        self,
        cohort: Cohort,
        threat: Threat,
        first: FirstPoints,
        draws: Draws,
        orthogonal_step: float,
        source_step: float,
        sphere_every: int,
    ) -> None:
        n = len(cohort.cases)
        self.cohort, self.draws, self.sphere_every = cohort, draws, sphere_every
        self.threat = threat.arranged(lambda side: side.reshape(1, -1) if side.ndim else side)
        self.x: Rows = cohort.x.reshape(n, -1)
        self.points: Rows = first.points.reshape(n, -1)  # adversarial
        self.distance: Numbers = first.distance.copy()
        self.asked = self.points.copy()
        self.is_on_sphere = np.zeros(n, np.bool_)  # what is asked: no step towards the sample has been made yet
        self.delta = StepLengths(n, orthogonal_step, wanted=ON_SPHERE, speed=SPHERE_SPEED)
        self.epsilon = StepLengths(n, source_step, wanted=IN_ALL, speed=SPEED)
        self.steps: NDArray[np.int64] = np.zeros(n, np.int64)  # begun

    def rows(self, asking: Owners) -> Rows:
        """Give the rows (m, *shape) that are asked about."""
        rows: Rows = self.asked[self._block(asking)].reshape(len(asking), *self.cohort.x.shape[1:])
        return rows

    def point(self, owner: int) -> Rows:
        """Give one sample's point (*shape), which stays as it is."""
        point: Rows = self.points[owner].reshape(self.cohort.x.shape[1:]).copy()
        return point

    def propose(self, steps: int) -> Owners:
        """Put each sample's next row into `asked`: of a new step, or the rest of one. Returns whose (m,).

        Nobody's where all walks have come to rest, have reached epsilon, or have made so many steps.
        """
        is_going = self.is_on_sphere | (
            np.isfinite(self.distance)
            & (self.distance > (self.threat.epsilon or 0.0))
            & (self.epsilon.lengths >= SHORTEST)
            & (self.steps < steps)
        )
        asking = np.flatnonzero(self.cohort.live & is_going)
        new, was_on_sphere = asking[~self.is_on_sphere[asking]], self.is_on_sphere[asking]
        self._move_along_sphere(new)
        self.is_on_sphere[asking] = ~was_on_sphere & (self.steps[asking] % self.sphere_every == 0)
        self.steps[new] += 1
        self._move_towards_sample(asking[~self.is_on_sphere[asking]])
        return asking

    def hear(self, asking: Owners, labels: Labels) -> list[int]:
        """Take the answers in. Returns who has come nearer."""
        targets = self.cohort.targets
        aims = None if targets is None else targets[asking]
        wins = np.asarray(is_fooled(labels, self.cohort.labels[asking], aims))
        was_on_sphere = self.is_on_sphere[asking]
        self.delta.hear(asking[was_on_sphere], wins[was_on_sphere])
        is_whole = ~(was_on_sphere & wins)  # the step, which goes on where it has only been along the sphere
        self.epsilon.hear(asking[is_whole], wins[is_whole])
        self.is_on_sphere[asking[is_whole]] = False
        won = asking[wins & is_whole]
        if not len(won):
            return []
        distance = self.threat.lengths(self.asked[won].astype(np.float64) - self.x[won])
        is_nearer = distance < self.distance[won]
        nearer = won[is_nearer]
        self.points[nearer], self.distance[nearer] = self.asked[nearer], distance[is_nearer]
        return [int(owner) for owner in nearer]

    def _move_along_sphere(self, who: Owners) -> None:
        """Step delta D at right angles to the way from the sample, and back onto the sphere of radius D."""
        if not len(who):
            return
        block, distance, delta = self._block(who), self.distance[who], self.delta.lengths[who]
        x, step = self.x[block], self.draws.next(who)
        away = self.points[block] - x
        cosine = np.einsum("ij,ij->i", step, away) / distance
        step -= _column(cosine / distance) * away
        step *= _column(delta * distance / np.maximum(np.sqrt(np.maximum(1 - cosine**2, 0)), LEAST_SINE))
        step += away
        step *= _column(1 / np.sqrt(1 + delta**2))
        step += x
        self.asked[block] = self.threat.clip(step, x, out=step)

    def _move_towards_sample(self, who: Owners) -> None:
        """Go on from there to the distance (1 - epsilon) D, unless what is valid is that near already."""
        if not len(who):
            return
        block = self._block(who)
        x = self.x[block]
        away = self.asked[block] - x
        length = np.sqrt(np.einsum("ij,ij->i", away, away))
        wanted = (1 - self.epsilon.lengths[who]) * self.distance[who]
        away *= _column(np.minimum(1, wanted / np.maximum(length, np.finfo(np.float32).tiny)))
        away += x
        self.asked[block] = self.threat.clip(away, x, out=away)

    def _block(self, who: Owners) -> Owners | slice:
        """Take everyone as a slice: no copy is made."""
        return slice(None) if len(who) == len(self.x) else who


def _column(numbers: Numbers) -> Rows:
    """(m,) -> (m, 1)"""
    return numbers.astype(np.float32)[:, None]
