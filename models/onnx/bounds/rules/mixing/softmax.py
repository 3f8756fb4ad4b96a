"""Softmax and LogSoftmax within a network: a share's logarithm is x_i - log sum_j exp(x_j), the share its exponential.

That sum's logarithm is convex. Above it lies, of chords of the exponentials, a tangent of the logarithm; below it lies
its own tangent in the middle (Wei et al. 2023, section 3.2). Both have the same slopes for all i, so that nothing of
size K^2 is made.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.linear.rounding import disturbance
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.operators.operator import GraphStep
from models.onnx.bounds.relaxations.relaxed import Intervals
from models.onnx.bounds.rules.curves.bent import NARROW
from models.onnx.bounds.rules.curves.written import EXP, softplus

PER_AXIS = 13  # opset since which a soft-max is of one axis: before, of all from one on


@dataclass(frozen=True)
class SharedLines:
    """`SharedLines` holds x_i - log sum_j exp(x_j) between x_i less one line and x_i less another, shared by all i.

    It speaks `Relaxed`.
    """

    lower_slopes: Tensor  # (R, *shape), taken off below
    lower_offset: Tensor  # (R, *shape) with 1 on the axis
    upper_slopes: Tensor
    upper_offset: Tensor
    axis: int

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes], Tensor]:
        numbers = slopes.whole().numbers
        rising, falling = (part.sum(self.axis, keepdim=True) for part in (numbers.clamp(min=0), numbers.clamp(max=0)))
        taken = rising * self.lower_slopes[rows] + falling * self.upper_slopes[rows]
        offset = rising * self.lower_offset[rows] + falling * self.upper_offset[rows]
        return (Slopes(numbers - taken, slopes.shape),), -offset.flatten(1).sum(1)


@dataclass(frozen=True)
class LogSoftmax:
    """`LogSoftmax` is the logarithms of the shares along an axis, counted with the rows'. Speaks `Curve`."""

    axis: int
    rounds: bool = True  # False within a soft-max, which rounds once for all of it

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Reach what each takes with its own end and all others' opposite ends."""
        return -softplus(self._others(upper) - lower), -softplus(self._others(lower) - upper)

    def error(self, lower: Tensor, upper: Tensor) -> Tensor | float:
        """Allow the roundings of a difference to the largest, and of a sum and its logarithm."""
        if not self.rounds:
            return 0.0
        size, count = torch.maximum(lower.abs(), upper.abs()), lower.shape[self.axis]
        sizes = 4 * size.amax(self.axis, keepdim=True) + count
        return disturbance(sizes, 2 * count).expand_as(lower)

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        return upper - lower > NARROW

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        return upper > lower

    def relax(self, lower: Tensor, upper: Tensor) -> SharedLines:
        """Lay chords and a tangent above the sum's logarithm, and a tangent below."""
        axis, middle, width = self.axis, (lower + upper) / 2, upper - lower
        top = upper.amax(axis, keepdim=True)
        starts = torch.exp(lower - top)
        wide = torch.where(width > 0, width, 1.0)
        chords = torch.where(width > 0, (torch.exp(upper - top) - starts) / wide, starts)
        chords = torch.where(width > NARROW, chords, torch.exp(upper - top))  # steeper, from the same start
        total = (starts + chords * (middle - lower)).sum(axis, keepdim=True)
        high = chords / total
        high_offset = top + total.log() - 1 + ((starts - chords * lower) / total).sum(axis, keepdim=True)
        low = torch.softmax(middle, axis)
        low_offset = torch.logsumexp(middle, axis, keepdim=True) - (low * middle).sum(axis, keepdim=True)
        return SharedLines(high, high_offset, low, low_offset, axis)

    def _others(self, x: Tensor) -> Tensor:
        """log sum_{j != i} exp(x_j), without taking anything off a sum."""
        nothing = torch.full_like(x.narrow(self.axis, 0, 1), -torch.inf)
        before = torch.logcumsumexp(x, self.axis)
        after = torch.logcumsumexp(x.flip(self.axis), self.axis).flip(self.axis)
        count = x.shape[self.axis] - 1
        before = torch.cat([nothing, before.narrow(self.axis, 0, count)], self.axis)
        after = torch.cat([after.narrow(self.axis, 1, count), nothing], self.axis)
        return torch.logaddexp(before, after)


def log_softmax(node: Node) -> LogSoftmax:
    return LogSoftmax(_axis(node))


def softmax(node: Node) -> tuple[GraphStep, ...]:
    """Take exp of the logarithms. In float32 each exponent is rounded by its size a, which makes e^-a a at most."""
    axis = _axis(node)
    count, logarithms = node.out[axis - 1], node.inner("logarithms")
    shares = replace(EXP, size=lambda x: x.exp() + 1 / count, roundings=2 * count)
    return (
        GraphStep(logarithms, node.sources, LogSoftmax(axis, rounds=False), node.out),
        GraphStep(node.name, (logarithms,), shares, node.out),
    )


def _axis(node: Node) -> int:
    size = len(node.shape(0)) + 1
    axis = node.attribute("axis", -1 if node.opset >= PER_AXIS else 1) % size
    if axis == 0:
        raise node.unsupported("over the batch axis")
    if node.opset < PER_AXIS and axis != size - 1:
        raise node.unsupported("over several axes")
    return int(axis)
