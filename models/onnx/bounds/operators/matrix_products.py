"""Sums of products of two values: a matrix times a matrix, each spread out until products are number by number.

Planes are laid for every single product; bounds are sharpened of the values as they are, before they are spread.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.linear.rounding import disturbance
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.operators.linear_maps import transposed
from models.onnx.bounds.relaxations.products import NARROW, Product
from models.onnx.bounds.relaxations.relaxed import Intervals, LinearBounds


@dataclass(frozen=True)
class SpreadOut:
    """A value is spread out by `apply`, which moves and repeats its numbers: (m, *shape) -> (m, *whole)."""

    apply: Callable[[Tensor], Tensor]
    shape: Shape

    def both(self, interval: Intervals) -> Intervals:
        return self.apply(interval[0]), self.apply(interval[1])

    def back(self, slopes: Slopes) -> Slopes:
        (found,) = transposed(self.apply, [self.shape])(slopes)
        return found


@dataclass(frozen=True)
class SummedPlanes:
    """Summed planes are linear bounds of products (R, *whole) of which the answers are sums. Speaks `Relaxed`."""

    planes: LinearBounds
    product: "MatrixProduct"

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes, ...], Tensor]:
        numbers = self.product.unsummed(slopes.whole().numbers)
        (one, other), offset = self.planes.backward(Slopes(numbers, self.product.whole), rows)
        return (self.product.first.back(one), self.product.second.back(other)), offset


@dataclass(frozen=True)
class MatrixProduct(Product):
    """A matrix product is z = sum over an axis of first(x) second(y), number by number before it is summed."""

    first: SpreadOut
    second: SpreadOut
    whole: Shape  # of all products of a row
    axis: int  # of `whole` that is summed
    out: Shape

    def interval(self, x: Intervals, y: Intervals) -> Intervals:
        """Sum the least and the largest products."""
        least, most = super().interval(self.first.both(x), self.second.both(y))
        return self._summed(least), self._summed(most)

    def error(self, x: Intervals, y: Intervals) -> Tensor:
        """Bound what rounding in float32 makes of the products and their sum."""
        (a, b), (c, d) = self.first.both(x), self.second.both(y)
        sizes = torch.maximum(a.abs(), b.abs()) * torch.maximum(c.abs(), d.abs())
        return disturbance(self._summed(sizes), self.whole[self.axis] + 1)

    def unstable(self, x: Intervals, y: Intervals) -> tuple[Tensor, Tensor]:
        """Tell which numbers of each value are wide."""
        return x[1] - x[0] > NARROW, y[1] - y[0] > NARROW

    def relax(self, x: Intervals, y: Intervals) -> SummedPlanes:
        """Lay planes below and above every product."""
        return SummedPlanes(self.planes(self.first.both(x), self.second.both(y)), self)

    def unsummed(self, slopes: Tensor) -> Tensor:
        """Give every product the slope of its sum: (B, *out) -> (B, *whole)."""
        before, after = self.whole[: self.axis], self.whole[self.axis + 1 :]
        return slopes.reshape(len(slopes), *before, 1, *after).expand(len(slopes), *self.whole)

    def _summed(self, products: Tensor) -> Tensor:
        return products.sum(self.axis + 1).reshape(len(products), *self.out)
