"""MaxPool: the largest of a window.

Below it lies the input of the window with the largest lower bound. Above it lies the same input where it dominates (its
lower bound is no less than any other's upper bound), else the level of the largest upper bound.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.graph.spans import Span, span
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.relaxations.relaxed import Intervals

NOTHING = -math.inf  # what padding adds to a window


@dataclass(frozen=True)
class WindowChoice:
    """One input is chosen for each window, the same below and (where it dominates) above. Speaks `Relaxed`."""

    chosen: Tensor  # (R, *out) positions in a channel of the input
    dominates: Tensor  # (R, *out) bool
    most: Tensor  # (R, *out)
    source: Shape  # (C, *spatial)
    where: Span

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes], Tensor]:
        onto_level = torch.where(slopes.of(self.dominates, rows), 0.0, slopes.numbers.clamp(max=0))
        onto_input = slopes.numbers - onto_level
        offset = (onto_level * slopes.of(self.most, rows)).flatten(1).sum(1)
        return (self._spread(slopes, onto_input, slopes.of(self.chosen, rows)),), offset

    def _spread(self, slopes: Slopes, onto_input: Tensor, chosen: Tensor) -> Slopes:
        """Each slope onto the input chosen for it: within the whole channel, or within the window's window."""
        size, corner = self.source[1:], None
        if slopes.corner is not None:
            corner = self.where.corner(slopes.corner)
            size = self.where.extent(slopes.numbers.shape[2:])
            chosen = self._within(chosen, corner, size)
        below = onto_input.new_zeros(len(onto_input), self.source[0], math.prod(size))
        below.scatter_add_(2, chosen.flatten(2), onto_input.flatten(2))
        made = Slopes(below.reshape(len(below), self.source[0], *size), self.source, corner)
        return made if corner is None else made.cropped()

    def _within(self, chosen: Tensor, corner: Tensor, size: Shape) -> Tensor:
        """Positions in a channel -> positions in a window of it. Anywhere where the slopes are zero."""
        found = torch.zeros_like(chosen)
        for axis, at in enumerate(torch.unravel_index(chosen, self.source[1:])):
            first = corner[:, axis].reshape(-1, *[1] * (chosen.dim() - 1))
            found = found * size[axis] + (at - first).clamp(0, size[axis] - 1)
        return found


@dataclass(frozen=True)
class MaxPool:
    """A max pool takes the largest of each window. Speaks `Curve`."""

    where: Span
    source: Shape
    out: Shape

    def value(self, x: Tensor) -> Tensor:
        return self._windows(x).amax(2).reshape(len(x), *self.out)

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Reach from the maxima of the lower ends to those of the upper ones: a maximum never falls."""
        return self.value(lower), self.value(upper)

    def error(self, lower: Tensor, upper: Tensor) -> float:
        del lower, upper
        return 0.0

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell which inputs may be the largest of a window in which none dominates."""
        choice = self.relax(lower, upper)
        least = self._windows(lower).amax(2)  # (R, C, windows)
        to_beat = torch.where(choice.dominates.flatten(2), math.inf, least)
        rivals = (self._windows(upper) > to_beat[:, :, None]).flatten(2)  # (R, C, elements * windows)
        positions = self._positions(len(lower), lower.device).flatten(2)
        counts = lower.new_zeros(len(lower), self.source[0], self._numbers + 1)
        counts.scatter_add_(2, positions, rivals.to(lower))
        return (counts[:, :, :-1] > 0).reshape(lower.shape)

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        return upper > lower

    def relax(self, lower: Tensor, upper: Tensor) -> WindowChoice:
        low, high = self._windows(lower), self._windows(upper)  # (R, C, elements, windows)
        best = low.argmax(2, keepdim=True)
        others = high.scatter(2, best, NOTHING).amax(2)
        chosen = self._positions(len(lower), lower.device).gather(2, best)
        dominates = low.gather(2, best) >= others[:, :, None]
        shape = (len(lower), *self.out)
        return WindowChoice(
            chosen.reshape(shape), dominates.reshape(shape), high.amax(2).reshape(shape), self.source, self.where
        )

    def places(self) -> NDArray[np.int64]:
        """Tell which number of a row's input each element of each window is, (windows, elements).

        One beyond the last number: padding. Windows are in the order of the answers.
        """
        found = self._positions(1, torch.device("cpu"))[0]  # (C, elements, windows), within a channel
        first = self._numbers * torch.arange(self.source[0]).reshape(-1, 1, 1)
        whole = torch.where(found < self._numbers, found + first, self._numbers * self.source[0])
        return np.asarray(whole.transpose(1, 2).flatten(0, 1))

    @property
    def _numbers(self) -> int:
        return math.prod(self.source[1:])

    def _positions(self, rows: int, device: torch.device) -> Tensor:
        """(rows, C, elements, windows): where in its channel each element lies; `_numbers` for padding."""
        grid = torch.arange(self._numbers, dtype=torch.float64, device=device).reshape(1, 1, *self.source[1:])
        one = self._unfold(self.where.pad(grid, float(self._numbers))).long()
        return one.expand(rows, self.source[0], *one.shape[2:])

    def _windows(self, x: Tensor) -> Tensor:
        """(m, C, *spatial) -> (m, C, elements, windows)"""
        return self._unfold(self.where.pad(x, NOTHING))

    def _unfold(self, x: Tensor) -> Tensor:
        where, size = self.where, len(self.where.kernel)
        for axis, (kernel, stride, dilation) in enumerate(
            zip(where.kernel, where.strides, where.dilations, strict=True), start=2
        ):
            x = x.unfold(axis, dilation * (kernel - 1) + 1, stride)[..., ::dilation]
        return x.flatten(2 + size).flatten(2, 1 + size).transpose(2, 3)


def max_pool(node: Node) -> MaxPool:
    where = span(node, tuple(node.attribute("kernel_shape", [])))
    return MaxPool(where, node.shape(0), node.out)
