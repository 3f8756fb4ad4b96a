"""A descent of ZOO: points of some samples move downhill on distance + c f, along the coordinates that are drawn.

    L(x') = ||x' - x||_2^2 / length^2 + c f(x')          Chen et al., AISec 2017, eqs. 3 to 5

with length and f in units of the sample (`algorithms.attacks.zoo.units`), or 1 and the margin as it comes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.attacks.zoo.coordinates import draw, weighted
from algorithms.attacks.zoo.params import ZooParams
from algorithms.attacks.zoo.space import Probes, Space
from algorithms.attacks.zoo.steps import OPTIMIZERS
from algorithms.attacks.zoo.units import Units
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.question import Owners
from algorithms.searches.penalties.hinge import Hinge
from algorithms.searches.penalties.variables import variables_of
from algorithms.searches.scores.plateaus import Plateaus
from algorithms.searches.tallies.successes import Successes

CLOSE = 0.1  # of the distance of the nearest rival: a difference is no larger, once that is known


@dataclass(frozen=True)
class Setting:
    """A setting is what all descents of a cohort have in common."""

    successes: Successes
    params: ZooParams
    spaces: Sequence[Space]
    sides: Numbers  # (n, d) how wide the box is; where it has no end, how large the sample is
    rngs: Sequence[np.random.Generator]
    plateaus: Plateaus  # whose steps are shares of the sides
    units: Units
    is_elsewhere: Mask  # (n,) who begins at the nearest success, not at the sample


class CoordinateDescent:
    """A descent is one of several samples, its owners (m,), who leave it one by one."""

    def __init__(self, setting: Setting, owners: Owners, *, is_first: bool) -> None:
        self._setting, self._is_first = setting, is_first
        self.owners, self._x = owners, setting.successes.x[owners]
        ones, threat = np.ones(len(owners)), setting.successes.threat
        self._w = variables_of(setting.params.variables, "box", self._x, ones, threat)
        if setting.is_elsewhere[owners].any():
            self._w.restart(np.arange(len(owners)), setting.successes.nearest[owners], ones)

    def probe(self, step: int) -> Probes:
        """Draw coordinates, and take the points with two others along each."""
        setting, params = self._setting, self._setting.params
        growth = params.grow_at or ()
        if step == 0 or step in growth:
            self._enter(setting.spaces[sum(step >= at for at in growth)])
        points = self._w.points()
        offsets = points.astype(np.float64) - self._x
        weights = weighted(self._space.weigh(offsets), params.even_share) if params.even_share < 1 else None
        rngs = [setting.rngs[owner] for owner in self.owners]
        self._drawn = draw(rngs, weights, self._space.size, params.coordinates)
        bend = self._w.slopes(np.ones((len(points), 1)))
        reach = setting.plateaus.step[self.owners, None] * setting.sides[self.owners]
        probes = self._space.probe(points, self._x, bend, self._drawn, reach)
        self.away: Numbers = setting.successes.threat.lengths(offsets)[:, None] ** 2 + probes.farther
        self._lines = probes.lines
        return probes

    def _enter(self, space: Space) -> None:
        """Go on along other lines: what the optimizer has met along those before says nothing of them."""
        self._space = space
        self._optimizer = OPTIMIZERS[self._setting.params.optimizer](len(self.owners), space.size)

    def move(self, z: Numbers, has_no_class: Mask, constants: Numbers, step: int) -> Numbers:
        """Move the coordinates drawn, given the logits z (m, 1 + 2 B, classes) of the probes; return L (m,) before."""
        units = self._setting.units
        self._measure(z)
        hinge = units.hinge(towards_nearest=self._is_first)
        short = _values(hinge, z, self.owners)
        short[has_no_class] = np.nan
        length = units.length[self.owners, None]
        losses = self.away / length**2 + constants[:, None] * short
        slopes, curvatures = self._lines.parabolas(losses)
        of_distance = 2 * self._lines.squares / length**2
        moves = self._optimizer.step(self._drawn, slopes, curvatures, of_distance)
        moves *= np.where(units.are_known[self.owners, None], self._rate(step, length), 0.0)
        self._w.move(self._space.along(self._drawn, moves).astype(np.float32))
        return np.asarray(losses[:, 0])

    def _measure(self, z: Numbers) -> None:
        """Find the units of samples that have none yet; differences are then small beside the distance to be found."""
        setting, units = self._setting, self._setting.units
        new = np.flatnonzero(~units.are_known[self.owners])
        if len(new):
            owners, steps = self.owners[new], setting.plateaus.step
            before, farthest = np.sqrt(self.away[new, 0]), setting.successes.threat.farthest(self._x[new])
            units.measure(owners, z[new], self._lines.of(new), self._space.size, (before, farthest))
            found = owners[units.are_known[owners]]
            steps[found] = np.minimum(steps[found], CLOSE * units.length[found] / setting.sides[found].max(axis=1))

    def _rate(self, step: int, length: Numbers) -> Numbers:
        """The rates (m, 1) of a step. Adam's are in units of the length, shared among the coordinates."""
        params, schedule = self._setting.params, self._setting.params.schedule
        last = params.last_rate
        falling = last + (1 - last) * (1 + math.cos(math.pi * step / schedule.steps)) / 2
        is_relative = params.optimizer == "adam" and params.units == "sample"
        unit = length / math.sqrt(self._space.square) if is_relative else np.ones_like(length)
        return np.asarray(schedule.learning_rate * falling * unit)

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Go on with some of the samples only."""
        if len(rows) < len(self.owners):
            self.owners, self._x = self.owners[rows], self._x[rows]
            self._w.keep(rows)
            self._optimizer.keep(rows)


def _values(hinge: Hinge, z: Numbers, owners: Owners) -> Numbers:
    """f (m, 1 + 2 B)"""
    m, rows, classes = z.shape
    return hinge.values(z.reshape(-1, classes), np.repeat(owners, rows)).reshape(m, rows)
