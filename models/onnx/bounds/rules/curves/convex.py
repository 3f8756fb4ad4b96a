"""Abs and squares: convex curves that fall and rise, so that the least answer may lie within the interval.

Above lies the chord. Below lies a tangent: of a square in the middle; of |x| its own line where the sign is known, else
the one that wastes the smaller area, as below a Relu.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.linear.rounding import disturbance
from models.onnx.bounds.relaxations.families import Family
from models.onnx.bounds.relaxations.relaxed import Intervals, LinearBounds


@dataclass(frozen=True)
class Absolute:
    """The curve is |x|. It speaks `Curve`."""

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Reach from the end nearest to zero, or zero, to the farthest end."""
        return _nearest(lower, upper), torch.maximum(lower.abs(), upper.abs())

    def error(self, lower: Tensor, upper: Tensor) -> float:
        """Allow no error: only a sign is changed."""
        del lower, upper
        return 0.0

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where zero lies within."""
        return (lower < 0) & (upper > 0)

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where the input has an interval."""
        return upper > lower

    def relax(self, lower: Tensor, upper: Tensor) -> Family:
        """Lay the line of one sign below, and above the chord, or the same line where the sign is known."""
        unstable, level = self.unstable(lower, upper), torch.zeros_like(lower)
        below = torch.where(upper > -lower, 1.0, -torch.ones_like(lower))
        chord = (upper + lower) / torch.where(unstable, upper - lower, 1.0)
        above = (torch.where(unstable, chord, below),)
        offset = torch.where(unstable, upper - chord * upper, 0.0)
        falling, rising = (
            LinearBounds((torch.where(unstable, sign, below),), level, above, offset) for sign in (-1.0, 1.0)
        )
        return Family((below,), level, above, offset, falling, rising, (below > 0).to(lower))


@dataclass(frozen=True)
class Square:
    """The curve is x^2. It speaks `Curve`."""

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Reach from the square of the end nearest to zero, or zero, to that of the farthest end."""
        return _nearest(lower, upper).square(), torch.maximum(lower.square(), upper.square())

    def error(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Allow one rounding."""
        return disturbance(torch.maximum(lower.square(), upper.square()), 1)

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where the input has an interval."""
        return upper > lower

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where the input has an interval."""
        return upper > lower

    def relax(self, lower: Tensor, upper: Tensor) -> LinearBounds:
        """Lay 2 m x - m^2 below, m the middle, and (l + u) x - l u above."""
        both = lower + upper
        return LinearBounds((both,), -(both / 2).square(), (both,), -lower * upper)


def absolute(node: Node) -> Absolute:
    node.shape(0)
    return Absolute()


def _nearest(lower: Tensor, upper: Tensor) -> Tensor:
    """The distance of the interval from zero."""
    return torch.maximum(lower, -upper).clamp(min=0)
