"""Sin and Cos: one bend between each two zeros, forever. An interval is moved back by whole turns, and forth again."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.linear.rounding import gamma
from models.onnx.bounds.relaxations.relaxed import Intervals, LinearBounds
from models.onnx.bounds.rules.curves.bent import NARROW, ROUNDINGS, Bent

TURN = 2 * math.pi
FAR = 2.0**20  # beyond it nothing is known but that waves have a height of 1

# Of intervals that begin in [0, 2 pi) and are no longer than that.
SINE = Bent(
    torch.sin,
    torch.cos,
    ("concave", "convex", "concave", "convex"),
    (math.pi, 2 * math.pi, 3 * math.pi),
    torch.ones_like,
)


@dataclass(frozen=True)
class Wave:
    """The curve is sin(x + phase). Speaks `Curve`."""

    phase: float

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Find the least and the largest value: -1 and 1 of a whole turn and more."""
        start, end, _, is_known = self._turned_back(lower, upper)
        least, most = SINE.interval(start, end)
        return torch.where(is_known, least, -1.0).clamp(min=-1), torch.where(is_known, most, 1.0).clamp(max=1)

    def error(self, lower: Tensor, upper: Tensor) -> float:
        """Allow the roundings of a library's function, relative to 1."""
        del lower, upper
        return gamma(ROUNDINGS)

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where the interval is wide."""
        return upper - lower > NARROW

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where the input has an interval."""
        return upper > lower

    def relax(self, lower: Tensor, upper: Tensor) -> LinearBounds:
        """Lay the lines of the interval that was moved back, moved forth; levels over a whole turn and more."""
        start, end, moved, is_known = self._turned_back(lower, upper)
        lines = SINE.relax(start, end)
        (below,), (above,) = lines.lower_slopes, lines.upper_slopes
        return LinearBounds(
            (torch.where(is_known, below, 0.0),),
            torch.where(is_known, lines.lower_offset + below * moved, -1.0),
            (torch.where(is_known, above, 0.0),),
            torch.where(is_known, lines.upper_offset + above * moved, 1.0),
        )

    def _turned_back(self, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """-> the interval with its phase, less whole turns; what was added to it; where it is short and near."""
        moved = self.phase - torch.floor((lower + self.phase) / TURN) * TURN
        is_known = (upper - lower <= TURN) & (torch.maximum(lower.abs(), upper.abs()) <= FAR)
        return torch.where(is_known, lower + moved, 0.0), torch.where(is_known, upper + moved, 1.0), moved, is_known


def sine(node: Node) -> Wave:
    node.shape(0)
    return Wave(0.0)


def cosine(node: Node) -> Wave:
    node.shape(0)
    return Wave(math.pi / 2)
