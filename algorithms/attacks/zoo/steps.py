"""How coordinates move, given the slope and the curvature of the loss along each: by Adam, or by Newton's method.

Chen et al., AISec 2017, algorithms 2 and 3.
"""

from typing import Literal, Protocol

import numpy as np

from algorithms.attacks.zoo.coordinates import Coordinates
from algorithms.mathematics.adam import TINY
from algorithms.mathematics.arrays import Numbers

BETA_1, BETA_2 = 0.9, 0.999
FLOOR = 0.05  # of the curvature of the distance: the least that a step is divided by (0.1 of 2 in their code)
INSTEAD = 0.5  # of it: what stands for a curvature below 0 (1 of 2 in their code)

OptimizerName = Literal["adam", "newton"]


class Optimizer(Protocol):
    """An optimizer remembers what it needs of the coordinates (m, D) of m samples."""

    def step(self, drawn: Coordinates, slopes: Numbers, curvatures: Numbers, least: Numbers) -> Numbers:
        """Tell where the drawn coordinates go (m, B), at a rate of 1. `least` (m, B): curvatures of the distance."""
        ...

    def keep(self, rows: Coordinates) -> None:
        """Go on with some of the samples only."""


class CoordinateAdam:
    """Each coordinate has averages and a number of steps of its own: it is seldom drawn."""

    def __init__(self, m: int, size: int) -> None:
        self._first, self._second = np.zeros((m, size), np.float32), np.zeros((m, size))
        self._steps = np.zeros((m, size), np.int32)

    def step(self, drawn: Coordinates, slopes: Numbers, curvatures: Numbers, least: Numbers) -> Numbers:
        del curvatures, least
        at = np.arange(len(drawn))[:, None], drawn
        steps = self._steps[at] + 1
        first = BETA_1 * self._first[at] + (1 - BETA_1) * slopes
        second = BETA_2 * self._second[at] + (1 - BETA_2) * slopes**2
        self._steps[at], self._first[at], self._second[at] = steps, first, second
        return np.asarray(-(first / (1 - BETA_1**steps)) / (np.sqrt(second / (1 - BETA_2**steps)) + TINY))

    def keep(self, rows: Coordinates) -> None:
        self._first, self._second, self._steps = self._first[rows], self._second[rows], self._steps[rows]


class CoordinateNewton:
    """A step leads to the bottom of the parabola along each coordinate, where it has one."""

    def __init__(self, m: int, size: int) -> None:
        del m, size  # nothing is remembered

    def step(self, drawn: Coordinates, slopes: Numbers, curvatures: Numbers, least: Numbers) -> Numbers:
        del drawn
        upward = np.where(curvatures < 0, INSTEAD * least, np.maximum(curvatures, FLOOR * least))
        return np.asarray(-slopes / np.where(upward > 0, upward, 1.0))

    def keep(self, rows: Coordinates) -> None:
        pass


OPTIMIZERS: dict[OptimizerName, type[CoordinateAdam | CoordinateNewton]] = {
    "adam": CoordinateAdam,
    "newton": CoordinateNewton,
}
