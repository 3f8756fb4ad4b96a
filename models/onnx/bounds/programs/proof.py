"""What any multipliers of a program's rows prove about its least cost: a bound that no tolerance of a solver is in.

Neumaier, Shcherbina, Safe bounds in linear and mixed-integer linear programming, 2004. For every y and every solution v

    cost v = y (A v) + (cost - A^T y) v >= sum over rows of min(y a) + sum over columns of min((cost - A^T y) v)

with a and v between their ends. It holds for any y whatever: a poor one makes it weak, never wrong. The rounding of
float64 is bounded as it is summed (Higham 2002, section 3.1) and taken off.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from algorithms.mathematics.arrays import Numbers
from models.onnx.bounds.programs.expressions import Matrix, Positions
from models.onnx.bounds.programs.program import Ends

UNIT = 2.0**-53


@dataclass(frozen=True)
class Multiplied:
    """A program multiplied is `least`, at most its least cost, and `reduced`, what is left of the cost of columns."""

    least: float
    reduced: Numbers  # (n,)

    @property
    def length(self) -> float:
        """Give the length of which half the square is no more than the least cost."""
        return float(np.sqrt(2 * max(self.least, 0.0))) * (1 - 4 * UNIT)

    @classmethod
    def by(cls, y: Numbers, transposed: Matrix, cost: Numbers, ends: Ends, squared: Positions | None = None) -> Self:
        """Multiply by y (m,) the rows of A, of which A^T (n, m) is given, within these ends.

        A multiplier that leans on an end at infinity counts as 0. With no cost, more than 0 proves that there is no
        solution. `squared`: columns of which half the square is part of the cost.
        """
        end = np.where(y > 0, ends.row_lower, ends.row_upper)
        y, end = (np.where(np.isfinite(end), values, 0.0) for values in (y, end))
        reduced, size = cost - transposed @ y, np.abs(cost) + abs(transposed) @ np.abs(y)
        of_rows, of_columns = y * end, np.minimum(reduced * ends.lower, reduced * ends.upper)
        if squared is not None:
            best = np.clip(-reduced[squared], ends.lower[squared], ends.upper[squared])
            of_columns[squared] = best * (best / 2 + reduced[squared])
        terms = np.diff(transposed.indptr) + 2
        lost = terms * UNIT / (1 - terms * UNIT) * size * np.maximum(np.abs(ends.lower), np.abs(ends.upper))
        sizes = float(np.abs(of_rows).sum() + np.abs(of_columns).sum() + lost.sum())
        many = (len(y) + 2 * len(cost) + 4) * UNIT
        least = float(of_rows.sum() + of_columns.sum() - lost.sum()) - many / (1 - many) * sizes
        return cls(least if np.isfinite(least) else -np.inf, reduced)
