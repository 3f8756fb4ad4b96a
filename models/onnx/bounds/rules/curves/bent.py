"""Curves that are convex on some pieces and concave on the others, between lines that touch them.

For any slope s the least of f(x) - s x on an interval lies at one of its ends, at a place where two pieces meet, or
within a convex piece, where it is found by bisection on the derivative: so s x + that least is below f, and nothing
higher with this slope is. The slope is chosen on a grid, as that of the convex hull of f in the middle of the interval:
no line is higher there. Lines above are lines below -f, mirrored.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from models.onnx.bounds.linear.rounding import disturbance
from models.onnx.bounds.relaxations.relaxed import Intervals, LinearBounds

HALVINGS = 45  # of an interval that holds the least of a convex piece; what is left of it is subtracted
NARROW = 1e-6  # an interval that a chord's slope cannot be had of: two levels serve
GRID = (1 / 8, 1 / 4, 3 / 8, 1 / 2, 3 / 4, 1.0)  # of half an interval, on each side of its middle
ROUNDINGS = 32  # a curve in float32 is off by so many units roundoff of `size` at the most: 16 ulps, and FOLDED more

Bend = Literal["convex", "concave", "straight"]
UPSIDE_DOWN: dict[Bend, Bend] = {"convex": "concave", "concave": "convex", "straight": "straight"}


def everywhere(lower: Tensor, upper: Tensor) -> Tensor:
    """Say that a curve is defined on every interval."""
    return torch.isfinite(lower) & torch.isfinite(upper)


@dataclass(frozen=True)
class Bent:
    """The curve is `value`, of one bend between each two of the `turns`, where it may also have a kink. Speaks `Curve`.

    `size`: of what is rounded on the way to a value, its largest at an end of every interval.
    """

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    bends: tuple[Bend, ...]
    turns: tuple[float, ...] = ()  # ascending, one fewer
    size: Callable[[Tensor], Tensor] | None = None  # None: of the value
    is_monotone: bool = False
    defined: Callable[[Tensor, Tensor], Tensor] = everywhere  # on which intervals (R, *in): elsewhere nothing is known
    roundings: int = ROUNDINGS

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Find the least and the largest value, by the level lines that touch the curve."""
        (lower, upper), is_defined = self._within(lower, upper)
        if torch.equal(lower, upper):  # at points
            least = most = self.value(lower)
        else:
            least, most = self._level(lower, upper), -self._upside_down()._level(lower, upper)
        return torch.where(is_defined, least, -torch.inf), torch.where(is_defined, most, torch.inf)

    def error(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Allow the roundings of a library's function, relative to the larger end."""
        (lower, upper), is_defined = self._within(lower, upper)
        size = self.size or (lambda x: self.value(x).abs())
        return torch.where(is_defined, disturbance(torch.maximum(size(lower), size(upper)), self.roundings), torch.inf)

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where the interval is wide and not within a straight piece."""
        found = (upper - lower > NARROW) | ~self.defined(lower, upper)
        for bend, first, last in self._pieces():
            if bend == "straight":
                found = found & ~((lower >= first) & (upper <= last))
        return found

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where the input has an interval."""
        return upper > lower

    def relax(self, lower: Tensor, upper: Tensor) -> LinearBounds:
        """Lay a line below and one above, which touch the curve."""
        (lower, upper), is_defined = self._within(lower, upper)
        below, low = self._line_below(lower, upper)
        above, high = self._upside_down()._line_below(lower, upper)
        return LinearBounds(
            (below,),
            torch.where(is_defined, low, -torch.inf),
            (-above,),
            torch.where(is_defined, -high, torch.inf),
        )

    def least(self, slope: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
        """Find a number no larger than f(x) - slope x anywhere on [lower, upper], and as good as equal somewhere."""

        def tilted(x: Tensor) -> Tensor:
            return self.value(x) - slope * x

        found = torch.minimum(tilted(lower), tilted(upper))
        for turn in self.turns:
            found = torch.minimum(found, tilted(lower.clamp(min=turn).minimum(upper)))
        for bend, first, last in self._pieces():
            if bend == "convex":
                start, end = lower.clamp(min=first).minimum(upper), upper.clamp(max=last).maximum(lower)
                found = torch.minimum(found, self._lowest(slope, start, end))
        return found

    def _lowest(self, slope: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """Below a convex piece, less its line: the better of two tangents, at both ends of what holds its least."""
        for _ in range(HALVINGS):
            middle = (start + end) / 2
            is_falling = self.slope(middle) <= slope
            start, end = torch.where(is_falling, middle, start), torch.where(is_falling, end, middle)
        width, found = end - start, []
        for at, sign in ((start, 1.0), (end, -1.0)):
            steepness = ((self.slope(at) - slope) * sign).clamp(max=0)
            fall = torch.where(width > 0, steepness * width, 0.0)
            found.append((self.value(at) - slope * at + fall).nan_to_num(nan=-torch.inf))
        return torch.maximum(*found)

    def _line_below(self, lower: Tensor, upper: Tensor) -> tuple[Tensor, Tensor]:
        """(slope, offset) of the chosen line, or of a level line where that is higher in the middle."""
        slope, middle = self._slope_below(lower, upper), (lower + upper) / 2
        offset, level = self.least(slope, lower, upper), self._level(lower, upper)
        is_level = level > slope * middle + offset
        return torch.where(is_level, 0.0, slope), torch.where(is_level, level, offset)

    def _level(self, lower: Tensor, upper: Tensor) -> Tensor:
        """The least value."""
        if self.is_monotone:
            return torch.minimum(self.value(lower), self.value(upper))
        return self.least(torch.zeros_like(lower), lower, upper)

    def _slope_below(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Of the convex hull in the middle: of the lowest chord over it, or the curve's own where that is lower."""
        half, middle = (upper - lower) / 2, (lower + upper) / 2
        before = [self.value(middle - share * half) for share in GRID[:-1]] + [self.value(lower)]
        after = [self.value(middle + share * half) for share in GRID[:-1]] + [self.value(upper)]
        height, slope = self.value(middle), self.slope(middle)
        width = torch.where(half > 0, half, 1.0)
        for a, left in zip(GRID, before, strict=True):
            for b, right in zip(GRID, after, strict=True):
                chord = (left * b + right * a) / (a + b)
                slope = torch.where(chord < height, (right - left) / ((a + b) * width), slope)
                height = torch.minimum(chord, height)
        return torch.where((upper - lower > NARROW) & torch.isfinite(slope), slope, 0.0)

    def _within(self, lower: Tensor, upper: Tensor) -> tuple[Intervals, Tensor]:
        """Put 1 for ends between which the curve is not defined."""
        is_defined = self.defined(lower, upper)
        return (torch.where(is_defined, lower, 1.0), torch.where(is_defined, upper, 1.0)), is_defined

    def _pieces(self) -> list[tuple[Bend, float, float]]:
        """Each bend, from where to where."""
        ends = (-torch.inf, *self.turns, torch.inf)
        return list(zip(self.bends, ends[:-1], ends[1:], strict=True))

    def _upside_down(self) -> "Bent":
        """-f."""
        return replace(
            self,
            value=lambda x: -self.value(x),
            slope=lambda x: -self.slope(x),
            bends=tuple(UPSIDE_DOWN[bend] for bend in self.bends),
        )
