"""Values of a graph as affine functions of a program's columns, each with how far rounding may take it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.operators.operator import Affine
from models.onnx.bounds.passes.regions import buckets

Positions = NDArray[np.int64]
Matrix = Any  # scipy.sparse.csr_array, float64

BUCKET = 256  # rows of a matrix that are written out at once


@dataclass(frozen=True)
class Expression:
    """An expression says of n numbers that each lies within `error` of matrix @ columns + constant."""

    matrix: Matrix  # (n, columns)
    constant: Numbers  # (n,)
    error: Numbers  # (n,)

    def at(self, positions: Positions) -> "Expression":
        """Pick some of the numbers, or repeat them."""
        return Expression(self.matrix[positions], self.constant[positions], self.error[positions])

    def plus(self, other: "Expression") -> "Expression":
        width = max(self.matrix.shape[1], other.matrix.shape[1])
        matrix = widened(self.matrix, width) + widened(other.matrix, width)
        return Expression(matrix, self.constant + other.constant, self.error + other.error)

    def times(self, factor: float) -> "Expression":
        return Expression(self.matrix * factor, self.constant * factor, self.error * abs(factor))

    def shifted(self, by: Numbers | float, *, error: Numbers | float = 0.0) -> "Expression":
        """Add numbers, and what rounding may do besides."""
        return Expression(self.matrix, self.constant + by, self.error + error)

    def through(self, matrix: Matrix) -> "Expression":
        """Put it through a linear map (m, n). Errors take their worst."""
        return Expression(matrix @ self.matrix, matrix @ self.constant, abs(matrix) @ self.error)


def widened(matrix: Matrix, width: int) -> Matrix:
    """Give a matrix more columns, all zero."""
    from scipy import sparse

    return sparse.csr_array((matrix.data, matrix.indices, matrix.indptr), shape=(matrix.shape[0], width))


def matrices(operator: Affine, out: Shape, sources: Sequence[Shape], device: torch.device | str) -> list[Matrix]:
    """Write the linear part of an operator out: a sparse matrix (numbers of out, numbers of the source) for each."""
    from scipy import sparse

    count = int(np.prod(out))
    parts: list[list[Matrix]] = [[] for _ in sources]
    for positions in buckets(count, min(BUCKET, count), device):
        for part, slopes in zip(parts, operator.adjoint(Slopes.one_hot(positions, out)), strict=True):
            part.append(sparse.csr_array(flat(slopes.whole().numbers).cpu().numpy()))
    return [sparse.vstack(part, format="csr")[:count] for part in parts]
