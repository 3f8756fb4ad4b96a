"""Carlini & Wagner's attack in l2: minimize ||x(w) - x0||_2^2 + c f(x(w)) over w by Adam (S&P 2017, section VI-A)."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.attacks.carlini_wagner.params import CarliniWagnerParams
from algorithms.mathematics.adam import Adam
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Rows
from algorithms.seam.case import Conversation
from algorithms.seam.question import Owners
from algorithms.searches.penalties.constant_search import ConstantSearch
from algorithms.searches.penalties.hinge import hinges_in
from algorithms.searches.penalties.penalty import Penalty
from algorithms.searches.penalties.sounding import Sounding
from algorithms.searches.penalties.variables import variables_of
from algorithms.searches.tallies.successes import Successes


def run(successes: Successes, params: CarliniWagnerParams) -> Conversation:
    """Descend with each constant, and claim what is nearer than before."""
    yield from successes.begin_at_hints(params.confidence)
    hinges = yield from hinges_in(params.units, successes, params.confidence)
    schedule = params.schedule(Norm.L2)
    search = ConstantSearch(len(successes.x), schedule.constant)

    def begin(owners: Owners, start: Rows) -> AdamDescent:
        return AdamDescent(successes, hinges[0].distance[owners], owners, start, params)

    penalty = Penalty(Sounding(successes), hinges, search, steps=schedule.steps, looks=params.looks)
    yield from penalty.minimize(begin, schedule.search_steps)


class AdamDescent:
    """The variables w of some samples are moved by Adam."""

    def __init__(
        self, successes: Successes, length: Numbers, owners: Owners, start: Rows, params: CarliniWagnerParams
    ) -> None:
        self.x: Rows = successes.x[owners]
        self.params, self.threat = params, successes.threat
        self.schedule = params.schedule(Norm.L2)
        self.length = length  # (m,) what distances are measured in
        features = 1 if params.units == "box" else self.x.shape[1]
        unit = length / math.sqrt(features)
        self.w = variables_of(params.variables, params.units, self.x, unit, self.threat)
        self.w.restart(np.arange(len(start)), start, unit)
        self.adam = Adam(self.x.shape)
        self._look()

    def _look(self) -> None:
        self.points = self.w.points()
        self.delta: Numbers = (self.points.astype(np.float64) - self.x) / self.length[:, None]
        self.measure: Numbers = np.asarray(self.threat.lengths(self.delta))
        self.term: Numbers = self.measure**2

    def move(self, slopes: NDArray[Any], step: int) -> None:
        """Take a step of Adam, given the slopes (m, d) of c f at the points."""
        by_points = 2 * self.delta / self.length[:, None] + slopes
        last, steps = self.params.last_rate, self.schedule.steps
        falling = last + (1 - last) * (1 + math.cos(math.pi * step / steps)) / 2
        self.w.move(np.float32(self.schedule.learning_rate * falling) * self.adam.step(self.w.slopes(by_points)))
        self._look()

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Go on with some of the samples only."""
        self.x, self.length = self.x[rows], self.length[rows]
        self.w.keep(rows)
        self.adam.keep(rows)
        self._look()
