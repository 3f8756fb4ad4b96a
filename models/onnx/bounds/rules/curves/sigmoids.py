"""Sigmoid, Tanh and Erf: convex below zero, concave above, and symmetric about zero.

Above zero the line below is the chord, and below zero the tangent in the middle. Where an interval holds zero, the
line below passes through the curve's upper end and touches it below zero, at a point found by bisection; where it would
touch before the interval begins, it is the chord. LinearBounds above are mirrored (Zhang et al. 2018, section 3.2).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.relaxations.relaxed import Intervals, LinearBounds

HALVINGS = 40  # of an interval that holds the point of contact; any point kept is sound
NARROW = 1e-6  # an interval that a chord's slope cannot be had of: two levels serve
# onnxruntime computes both by rational approximations: within 4e-7 of the truth (measured, and held to by a test).
ERROR = 1e-6


@dataclass(frozen=True)
class SCurve:
    """The curve is an f with f(x) + f(-x) = 2 f(0), convex below zero. Speaks `Curve`."""

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    middle: float  # f(0)

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Reach from the value of one end to that of the other: the curve never falls."""
        return self.value(lower), self.value(upper)

    def error(self, lower: Tensor, upper: Tensor) -> float:
        del lower, upper
        return ERROR

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        return upper - lower > NARROW

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        return self.value(upper) > self.value(lower)

    def relax(self, lower: Tensor, upper: Tensor) -> LinearBounds:
        below = self._below(lower, upper)
        above = self._below(-upper, -lower)
        return LinearBounds((below[0],), below[1], (above[0],), 2 * self.middle - above[1])

    def _below(self, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
        """A line (slope, offset) below the curve on [l, u]."""
        wide = self.unstable(lower, upper)
        chord = (self.value(upper) - self.value(lower)) / torch.where(wide, upper - lower, 1.0)
        touch = torch.where(upper <= 0, (lower + upper) / 2, self._contact(lower, upper))
        is_chord = (lower >= 0) | ((upper > 0) & (self._dual_norms(lower, upper) > self.value(upper)))
        slope = torch.where(is_chord, chord, self.slope(touch))
        at = torch.where(is_chord, lower, touch)
        slope, at = torch.where(wide, slope, 0.0), torch.where(wide, at, lower)
        return slope, self.value(at) - slope * at

    def _contact(self, lower: Tensor, upper: Tensor) -> Tensor:
        """The largest point d <= 0 found whose tangent does not pass above the curve's upper end."""
        kept, passes = lower.clamp(max=0), torch.zeros_like(lower)
        for _ in range(HALVINGS):
            middle = (kept + passes) / 2
            is_below = self._dual_norms(middle, upper) <= self.value(upper)
            kept, passes = torch.where(is_below, middle, kept), torch.where(is_below, passes, middle)
        return kept

    def _dual_norms(self, at: Tensor, upper: Tensor) -> Tensor:
        """Height of the tangent in `at` at the upper end."""
        return self.value(at) + self.slope(at) * (upper - at)


def _sigmoid_slope(x: Tensor) -> Tensor:
    return torch.sigmoid(x) * torch.sigmoid(-x)


def _tanh_slope(x: Tensor) -> Tensor:
    return 1 / torch.cosh(x).square()


def _erf_slope(x: Tensor) -> Tensor:
    return 2 / math.sqrt(math.pi) * torch.exp(-x.square())


def sigmoid(node: Node) -> SCurve:
    del node
    return SCurve(torch.sigmoid, _sigmoid_slope, 0.5)


def tanh(node: Node) -> SCurve:
    del node
    return SCurve(torch.tanh, _tanh_slope, 0.0)


def erf(node: Node) -> SCurve:
    del node
    return SCurve(torch.erf, _erf_slope, 0.0)
