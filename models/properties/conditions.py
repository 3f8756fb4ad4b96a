"""A property in its normal form: boxes of inputs, and for each what outputs are looked for."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
LEAST = float(np.nextafter(0.0, 1.0))


@dataclass(frozen=True)
class WantedOutputs:
    """Outputs y are wanted where matrix y <= limits, all rows of it; where a row is strict, matrix y < limits."""

    matrix: Array  # (k, outputs) float64
    limits: Array  # (k,)
    strict: Array  # (k,) bool

    def excess(self, outputs: Array) -> Array:
        """Find by how much the worst row fails, (n,): not above 0 where outputs (n, outputs) are wanted."""
        found = outputs.astype(np.float64) @ self.matrix.T - self.limits
        worst: Array = np.where(self.strict & (found == 0), LEAST, found).max(axis=1)
        return worst

    def wants(self, outputs: Array) -> bool:
        """Tell whether all rows hold of outputs (outputs,), without any rounding; finite ones are asked of."""
        for factors, limit, is_strict in zip(self.matrix, self.limits, self.strict, strict=True):
            parts = (Fraction(factors[i]) * Fraction(float(outputs[i])) for i in np.flatnonzero(factors))
            found = sum(parts, Fraction())
            if found > limit or (is_strict and found == limit):
                return False
        return True


@dataclass(frozen=True)
class PropertyCase:
    """A case is a box of inputs, closed, and the outputs looked for in it: those wanted by any of its parts."""

    lower: Array  # (inputs,) float64
    upper: Array
    parts: tuple[WantedOutputs, ...]


Property = tuple[PropertyCase, ...]
"""Holds no point: unsat. A point of any case whose outputs are wanted there: sat."""
