"""Relu, LeakyRelu and Clip: pieces of lines.

The free line of a Relu, below it, is chosen by area: y = x where u > -l, else y = 0 (Zhang et al. 2018, CROWN-adaptive;
Singh et al. 2019, DeepPoly).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.linear.rounding import gamma
from models.onnx.bounds.operators.linear_maps import scaled
from models.onnx.bounds.operators.operator import GraphStep
from models.onnx.bounds.relaxations.families import Family
from models.onnx.bounds.relaxations.relaxed import Intervals, LinearBounds


@dataclass(frozen=True)
class Rectifier:
    """The curve is x where x > 0, leak * x below; 0 <= leak <= 1. Speaks `Curve`."""

    leak: float = 0.0

    def value(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, self.leak * x)

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Reach from the value of one end to that of the other: the curve never falls."""
        return self.value(lower), self.value(upper)

    def error(self, lower: Tensor, upper: Tensor) -> Tensor | float:
        del upper
        return gamma(1) * self.leak * lower.clamp(max=0).abs() if self.leak else 0.0

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        return (lower < 0) & (upper > 0)

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        return self.value(upper) > self.value(lower)

    def relax(self, lower: Tensor, upper: Tensor) -> LinearBounds:
        unstable = self.unstable(lower, upper)
        width = torch.where(unstable, upper - lower, 1.0)
        chord = (upper - self.leak * lower) / width
        one = torch.ones_like(lower)
        stable = torch.where(lower >= 0, one, self.leak)  # the slope where the sign is known
        is_steep = upper > -lower  # where y = x wastes less below than the other line
        level = lower.new_zeros(()).expand_as(lower)
        upper_slope = (torch.where(unstable, chord, stable),)
        upper_offset = torch.where(unstable, upper - chord * upper, 0.0)
        flattest, steepest = (
            LinearBounds((torch.where(unstable, slope, stable),), level, upper_slope, upper_offset)
            for slope in (self.leak * one, one)
        )
        chosen = torch.where(is_steep, steepest.lower_slopes[0], flattest.lower_slopes[0])
        return Family((chosen,), level, upper_slope, upper_offset, flattest, steepest, is_steep.to(lower))


@dataclass(frozen=True)
class Clamp:
    """The curve is x, held between two numbers, either of which may be infinite. Speaks `Curve`."""

    least: float
    most: float

    def value(self, x: Tensor) -> Tensor:
        return x.clamp(self.least, self.most)

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Reach from the value of one end to that of the other: the curve never falls."""
        return self.value(lower), self.value(upper)

    def error(self, lower: Tensor, upper: Tensor) -> float:
        del lower, upper
        return 0.0

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        below, above = lower < self.least, upper > self.most
        return (below & (upper > self.least)) | (above & (lower < self.most))

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        return self.value(upper) > self.value(lower)

    def relax(self, lower: Tensor, upper: Tensor) -> Family:
        """Lay a line below, and above a mirrored one: -clamp(x) = clamp(-x, -most, -least)."""
        mirrored = Clamp(-self.most, -self.least)
        below, above = self._below(lower, upper), mirrored._below(-upper, -lower)
        level, rising = (
            LinearBounds((under[0],), under[1], (over[0],), -over[1])
            for under, over in zip(below[:2], above[:2], strict=True)
        )
        (slope, offset), (steep, most) = (
            tuple(torch.where(is_flat, one, other) for one, other in zip(flat, chord, strict=True))
            for flat, chord, is_flat in (below, above)
        )
        start = 1 - (below[2].to(lower) + above[2].to(lower)) / 2
        return Family((slope,), offset, (steep,), -most, level, rising, start)

    def _below(self, lower: Tensor, upper: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor], Tensor]:
        """Two lines (slope, offset) below the curve on [l, u], one of them level, and whether that wastes less."""
        starts, ends = self.value(lower), self.value(upper)
        knee = lower.clamp(min=self.least)  # where it begins to rise
        # From the knee to the end: below the concave part as its chord, and below the flat part before the knee.
        slope = (ends - starts) / torch.where(upper > knee, upper - knee, 1.0)
        slope = torch.where(upper > knee, slope, 0.0)
        is_flat = (lower < self.least) & (upper - knee <= knee - lower)  # the level at `least` wastes less
        zero = torch.zeros_like(slope)
        may_be_flat = lower < self.least
        flat = torch.where(may_be_flat, zero, slope)
        return (flat, starts - flat * knee), (slope, starts - slope * knee), is_flat


def relu(node: Node) -> Rectifier:
    del node
    return Rectifier()


def leaky_relu(node: Node) -> Rectifier:
    leak = node.attribute("alpha", 0.01)
    if not 0 <= leak <= 1:
        raise node.unsupported("with a slope outside [0, 1]")
    return Rectifier(float(leak))


def clip(node: Node) -> Clamp:
    """Read the limits, inputs since opset 11 and attributes before."""
    limits = [
        node.attribute(name, default) if (given := node.array(i)) is None else float(given.reshape(()))
        for i, name, default in ((1, "min", -math.inf), (2, "max", math.inf))
    ]
    if limits[0] > limits[1]:
        raise node.unsupported("between limits that cross")
    return Clamp(*limits)


def hard_sigmoid(node: Node) -> tuple[GraphStep, ...]:
    """Take max(0, min(1, alpha x + beta)): two roundings of the line, one of its numbers."""
    size, line = (1, *node.out), node.inner("line")
    alpha, beta = (
        torch.full(size, node.attribute(name, default), dtype=torch.float64, device=node.device)
        for name, default in (("alpha", 0.2), ("beta", 0.5))
    )
    return (
        GraphStep(line, node.sources, scaled(alpha, node.shape(0), node.out, bias=beta, terms=3), node.out),
        GraphStep(node.name, (line,), Clamp(0.0, 1.0), node.out),
    )
