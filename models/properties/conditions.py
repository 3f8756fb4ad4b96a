"""A property in its normal form: boxes of inputs, and for each what outputs are looked for."""

from dataclasses import dataclass
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


@dataclass(frozen=True)
class PropertyCase:
    """A case is a box of inputs, closed, and the outputs looked for in it: those wanted by any of its parts."""

    lower: Array  # (inputs,) float64
    upper: Array
    parts: tuple[WantedOutputs, ...]


Property = tuple[PropertyCase, ...]
"""Holds no point: unsat. A point of any case whose outputs are wanted there: sat."""
