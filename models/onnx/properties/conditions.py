"""A property in its normal form: boxes of inputs, and for each what outputs are looked for."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class WantedOutputs:
    """Outputs y are wanted where matrix y <= limits, all rows of it."""

    matrix: Array  # (k, outputs) float64
    limits: Array  # (k,)

    def excess(self, outputs: Array) -> Array:
        """Find by how much the worst row fails, (n,): not above 0 where outputs (n, outputs) are wanted."""
        found: Array = (outputs.astype(np.float64) @ self.matrix.T - self.limits).max(axis=1)
        return found


@dataclass(frozen=True)
class PropertyCase:
    """A case is a box of inputs, closed, and the outputs looked for in it: those wanted by any of its parts."""

    lower: Array  # (inputs,) float64
    upper: Array
    parts: tuple[WantedOutputs, ...]


Property = tuple[PropertyCase, ...]
"""Holds no point: unsat. A point of any case whose outputs are wanted there: sat."""
