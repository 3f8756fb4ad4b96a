"""The product of two values that both depend on the rows, between planes (McCormick 1976).

On x in [a, b], y in [c, d] each of (x - a)(y - c), (b - x)(d - y), (x - a)(d - y), (b - x)(y - c) is at least 0. The
first two give a plane below x y, the last two one above. Both of a pair are equally far from x y on the average; the
one is taken whose worst value on the intervals is better.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from models.onnx.bounds.linear.rounding import disturbance
from models.onnx.bounds.relaxations.families import Family
from models.onnx.bounds.relaxations.relaxed import Intervals, LinearBounds, Relaxed

NARROW = 1e-6  # an interval hardly worth a backward pass: its plane is as good as exact

_Plane = tuple[Tensor, Tensor, Tensor]  # slopes by x and by y, offset


@dataclass(frozen=True)
class Product:
    """A product is z = x y of two values of one shape, number by number. How x and y may be related is not seen."""

    def interval(self, x: Intervals, y: Intervals) -> Intervals:
        """Find the least and the largest product, at corners: (R, *shape) each."""
        corners = torch.stack([a * b for a in x for b in y])
        return corners.amin(0), corners.amax(0)

    def error(self, x: Intervals, y: Intervals) -> Tensor:
        """Bound how far one rounding in float32 may be off: (R, *shape)."""
        return disturbance(_largest(x) * _largest(y), 1)

    def unstable(self, x: Intervals, y: Intervals) -> tuple[Tensor, Tensor]:
        """Tell where planes lose something: a number times a value loses nothing. (R, *shape) bool of each."""
        found = (x[1] - x[0] > NARROW) & (y[1] - y[0] > NARROW)
        return found, found

    def relax(self, x: Intervals, y: Intervals) -> Relaxed:
        """Lay planes below and above the product on the intervals; either of a pair would do, and any mixture."""
        (a, b), (c, d) = x, y
        first = LinearBounds((c, a), -a * c, (d, a), -a * d)
        second = LinearBounds((d, b), -b * d, (c, b), -b * c)
        by = self.planes(x, y)
        is_second = (by.lower_offset == second.lower_offset), (by.upper_offset == second.upper_offset)
        start = (is_second[0].to(a) + is_second[1].to(a)) / 2
        return Family(by.lower_slopes, by.lower_offset, by.upper_slopes, by.upper_offset, first, second, start)

    def planes(self, x: Intervals, y: Intervals) -> LinearBounds:
        """Lay planes below and above x y on the intervals."""
        (a, b), (c, d) = x, y
        below = _better(x, y, (c, a, -a * c), (d, b, -b * d))
        above = _negative(_better(x, y, (-d, -a, a * d), (-c, -b, b * c)))
        return LinearBounds(below[:2], below[2], above[:2], above[2])


def _better(x: Intervals, y: Intervals, first: _Plane, second: _Plane) -> _Plane:
    """Of two planes the one whose least value on the intervals is larger, number by number."""
    is_first = _least(x, y, first) >= _least(x, y, second)
    a, b, c = (torch.where(is_first, one, other) for one, other in zip(first, second, strict=True))
    return a, b, c


def _least(x: Intervals, y: Intervals, plane: _Plane) -> Tensor:
    a, b, c = plane
    return torch.minimum(a * x[0], a * x[1]) + torch.minimum(b * y[0], b * y[1]) + c


def _negative(plane: _Plane) -> _Plane:
    return -plane[0], -plane[1], -plane[2]


def _largest(interval: Intervals) -> Tensor:
    return torch.maximum(interval[0].abs(), interval[1].abs())
