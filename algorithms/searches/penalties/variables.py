"""What is moved instead of the point, so that the point stays in the box (Carlini & Wagner 2017, section V-B)."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.searches.penalties.hinge import UnitsName
from algorithms.threats.threat import Threat

SHORT = 0.999999  # of the way from the middle of a side to its end: where tanh begins at the latest (published code)

VariablesName = Literal["offset", "tanh"]
Moves = NDArray[np.float32]  # (m, d) changes of the variables


class Offset:
    """An offset is what is added to the sample, times a unit (m, 1), and clipped after each step."""

    def __init__(self, x: Rows, unit: Moves, threat: Threat) -> None:
        self._x, self._unit, self._threat = x, unit, threat
        self._points = x.copy()

    def points(self) -> Rows:
        return self._points

    def slopes(self, slopes: NDArray[Any]) -> NDArray[Any]:
        return slopes * self._unit

    def move(self, by: Moves) -> None:
        self._points = self._threat.clip(self._points + self._unit * by, self._x)

    def restart(self, rows: NDArray[np.int64], points: Rows, unit: Numbers) -> None:
        self._points[rows], self._unit[rows, 0] = points, unit

    def keep(self, rows: NDArray[np.int64]) -> None:
        self._x, self._unit, self._points = self._x[rows], self._unit[rows], self._points[rows]


class Tanh:
    """A tanh leads through each side of the box: it is x = middle + half tanh(u w). Without ends, it is an offset.

    u is 1, as in the paper, or moves the middle of the side by the unit. At the ends of a side, where much of many
    images lies, it is flat, so that w is far from where it can move x.
    """

    def __init__(self, x: Rows, unit: Moves, threat: Threat, *, as_published: bool) -> None:
        lower, upper = (np.broadcast_to(side, x.shape).astype(np.float32) for side in threat.limits(x))
        self._has_ends = np.isfinite(lower) & np.isfinite(upper) & (lower < upper)
        low, high = np.where(self._has_ends, lower, 0), np.where(self._has_ends, upper, 1)
        self._x, self._threat, self._is_published = x, threat, as_published
        self._middle, self._half = (low + high) / 2, (high - low) / 2
        self._unit, self._w = np.zeros_like(x), np.zeros_like(x)  # u w, rather
        self.restart(np.arange(len(x)), x, unit[:, 0].astype(np.float64))

    def points(self) -> Rows:
        inside, beyond = self._middle + self._half * np.tanh(self._w), self._x + self._w
        return np.asarray(self._threat.clip(np.where(self._has_ends, inside, beyond), self._x))

    def restart(self, rows: NDArray[np.int64], points: Rows, unit: Numbers) -> None:
        """Begin afresh at other points (m, d) of some rows, with other units (m,)."""
        has_ends, half, column = self._has_ends[rows], self._half[rows], unit[:, None].astype(np.float32)
        within = 1 if self._is_published else column / half
        self._unit[rows] = np.where(has_ends, within, column)
        share = np.where(has_ends, (points - self._middle[rows]) / half, 0).astype(np.float64)
        self._w[rows] = np.where(has_ends, np.arctanh(SHORT * share), points - self._x[rows])

    def slopes(self, slopes: NDArray[Any]) -> NDArray[Any]:
        return slopes * self._unit * np.where(self._has_ends, self._half * (1 - np.tanh(self._w) ** 2), 1)

    def move(self, by: Moves) -> None:
        self._w += (self._unit * by).astype(np.float32)

    def keep(self, rows: NDArray[np.int64]) -> None:
        self._x, self._w, self._unit = self._x[rows], self._w[rows], self._unit[rows]
        self._has_ends, self._middle, self._half = self._has_ends[rows], self._middle[rows], self._half[rows]


def variables_of(name: VariablesName, units: UnitsName, x: Rows, unit: Numbers, threat: Threat[Any]) -> Offset | Tanh:
    """Make the named variables of samples (m, d), which a step of length 1 moves by units (m,)."""
    column = unit[:, None].astype(np.float32)
    return Tanh(x, column, threat, as_published=units == "box") if name == "tanh" else Offset(x, column, threat)
