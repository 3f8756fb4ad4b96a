"""Values that features are cut to: the levels of a sensor, of 8-bit pixels, of a dial that clicks.

Every value is one the model may really be sent; between two neighbors there is none. The ends of a box are handed over
by the threat, which knows them: numbers, or arrays that broadcast to the rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers

ROUNDING = 2.0**-21  # of the largest number of a box: what float32 may do to a sum of two

Ends = tuple[Any, Any]  # least and largest value of each feature, finite


@dataclass(frozen=True)
class Lattice:
    """A lattice cuts each side of a bounded box evenly: its values are lower + k (upper - lower) / (levels - 1).

    Computed in float64 and rounded to float32: for 256 levels of [0, 1] these are the numbers k / 255.
    """

    levels: int

    def nearest(self, rows: NDArray[Any], ends: Ends) -> NDArray[np.float32]:
        """Move each feature of rows (m, *shape) to the nearest value."""
        return self._value(np.rint(self._level(rows, ends)), ends)

    def away(self, y: NDArray[Any], x: NDArray[Any], ends: Ends) -> Numbers:
        """Compute how far values y are from values x, (*shape) each, in whole steps: as if never rounded to float32."""
        lower, upper = (np.asarray(end, np.float64) for end in ends)
        steps = np.rint(self._level(y, ends)) - np.rint(self._level(x, ends))
        return np.asarray(steps * (upper - lower) / (self.levels - 1))

    def towards(self, rows: NDArray[Any], x: NDArray[np.float32], ends: Ends) -> NDArray[np.float32]:
        """Move rows (m, *shape) to values that are no farther from those of x in any norm."""
        here = np.rint(self._level(x, ends))
        away = self._level(rows, ends) - here
        whole = np.sign(away) * np.floor(np.abs(away) + self._slack(ends))
        return self._value(here + whole, ends)

    def inwards(
        self, low: NDArray[Any], high: NDArray[Any], ends: Ends
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Find the least and the largest value of each feature that lie between two numbers."""
        slack = self._slack(ends)
        least, largest = np.ceil(self._level(low, ends) - slack), np.floor(self._level(high, ends) + slack)
        return self._value(least, ends), self._value(largest, ends)

    def holds(self, rows: NDArray[np.float32], ends: Ends) -> NDArray[np.bool_]:
        """Tell which features of rows are values, but for what float32 may have done to them on their way here."""
        level = self._level(rows, ends)
        return np.asarray(np.abs(level - np.rint(level)) <= self._slack(ends))

    def step(self, ends: Ends) -> Numbers:
        """Measure how far apart neighbors are, for each feature."""
        lower, upper = (np.asarray(end, np.float64) for end in ends)
        return np.asarray((upper - lower) / (self.levels - 1))

    def is_told_apart(self, ends: Ends) -> bool:
        """Tell whether float32 has room for all the values."""
        return bool(np.all(self._slack(ends) < 0.25))

    def _level(self, rows: NDArray[Any], ends: Ends) -> Numbers:
        """Which value each feature is, or lies between: from 0 at the lower end to levels - 1."""
        step = self.step(ends)
        above = np.asarray(rows, np.float64) - np.asarray(ends[0], np.float64)
        return np.asarray(np.clip(above / np.where(step > 0, step, 1.0), 0, self.levels - 1))

    def _value(self, level: Numbers, ends: Ends) -> NDArray[np.float32]:
        lower, upper = (np.asarray(end, np.float64) for end in ends)
        return np.asarray(lower + level * (upper - lower) / (self.levels - 1), np.float32)

    def _slack(self, ends: Ends) -> Numbers:
        """What rounding may make of a distance, in steps: no reason to fall short of a value."""
        size = np.maximum(*(np.abs(np.asarray(end, np.float64)) for end in ends))
        step = self.step(ends)
        return np.asarray(ROUNDING * size / np.where(step > 0, step, np.inf))
