"""Lines from samples to other points, and halving them: how near to its sample may a point come and stay adversarial?

Attacks differ in the line they follow, in how often they halve it, and in the precision of its points. All of that is
asked for here; nothing of it is chosen here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from array_api_compat import array_namespace

from algorithms.mathematics.arrays import Array, Numbers
from algorithms.mathematics.norms import Counting, Norm
from algorithms.seam.access import Rows
from algorithms.seam.case import Step
from algorithms.threats.threat import Threat

Along = Any  # of a line's length, from 0 at the sample to 1 at the far point: one number, or (n,), one a line
Wins = Any  # is the point adversarial: one truth, or (n,)


class Line(Protocol):
    """A line leads from a sample to a point that is known to be adversarial: of one sample, or of n, one line each.

    Beside those of this file: `Ray`, `Arc`.
    """

    @property
    def x(self) -> Array:
        """Name its near end, (*shape) or (n, *shape): as a rule the sample."""
        ...

    @property
    def far(self) -> Array:
        """Name its far end, (*shape) or (n, *shape)."""
        ...

    def at(self, share: Along) -> Array:
        """Find the valid points at these shares of the way: `far` at 1."""
        ...


def a_line_each(numbers: Along, x: Rows) -> Rows:
    """Make numbers (n,) multiply lines' points (n, *shape), one each; one number for all stays one."""
    return np.reshape(np.asarray(numbers, x.dtype), (-1, *(1,) * (x.ndim - 1)) if np.ndim(numbers) else ())


@dataclass(frozen=True)
class Segment:
    """A segment is the straight line x + share (far - x) of one sample; or of n samples, one each."""

    x: Array  # (*shape) or (n, *shape)
    far: Array
    threat: Threat
    precision: type[np.floating] = np.float32  # of a share when its point is computed

    @cached_property
    def length(self) -> float:
        """Measure the distance of `far` from x, of one sample's segment."""
        return self.threat.distance(self.far, self.x)

    def at(self, share: Along) -> Array:
        """Find the valid points at these shares of the length: `far` itself at the number 1."""
        if np.ndim(share):  # (n,)
            xp = array_namespace(self.x)
            shares = xp.asarray(np.asarray(share, self.precision), device=self.x.device)
            return self._at(xp.reshape(shares, (-1, *(1,) * (self.x.ndim - 1))))
        return self.far if share == 1 else self._at(self.precision(share))

    def _at(self, share: Along) -> Array:
        return self.threat.clip(self.x + share * (self.far - self.x), self.x)


@dataclass(frozen=True)
class GrowingCube:
    """A growing cube around one sample takes the far point in step by step: linf's own line back."""

    x: Rows  # (*shape)
    far: Rows  # (*shape)
    threat: Threat

    @cached_property
    def length(self) -> float:
        """Measure the distance of `far` from x: half the side of the cube that holds it."""
        return self.threat.distance(self.far, self.x)

    def at(self, share: Along) -> Rows:
        """Find the valid point (*shape) at this share of the length: `far` itself at 1."""
        if share == 1:
            return self.far
        lower, upper = self.threat.hull(self.x, np.float32(share * self.length))
        return np.asarray(np.clip(self.far, lower, upper), np.float32)


@dataclass(frozen=True)
class FewerChanges:
    """Fewer changes lead from the far point back to one sample, where changes are counted: a count's own line back."""

    x: Rows  # (*shape)
    far: Rows  # (*shape)
    threat: Threat[Counting]
    order: Numbers  # (d,) numbers above 0: what has the largest stays changed longest

    @cached_property
    def length(self) -> float:
        """Count the changes that lead to `far`."""
        return self.threat.distance(self.far, self.x)

    def at(self, share: Along) -> Rows:
        """Find the point (*shape) with this share of the changes, rounded down: `far` itself at 1."""
        return self.threat.keep_changes(self.far, self.x, count=np.floor(share * self.length), order=self.order)


def connect(x: Rows, far: Rows, threat: Threat) -> Segment | GrowingCube:
    """Lead a line from one sample (*shape) to another point: in linf by the cube, else straight (Chen et al. 2020).

    Each of its points lies at its share of the distance, in the threat's norm.
    """
    return GrowingCube(x, far, threat) if threat.norm is Norm.LINF else Segment(x, far, threat)


def within(line: Segment | GrowingCube, radius: float) -> Rows:
    """Find the farthest point (*shape) of one sample's line within this distance of it."""
    return line.far if line.length <= radius else line.at(radius / line.length)


def narrowed(low: Along, high: Along, wins: Wins) -> tuple[Along, Along]:
    """Choose the half between `low` and `high` to go on in, as soon as the middle is known to be adversarial or not."""
    middle = (low + high) / 2
    if isinstance(wins, bool):  # of one line: choosing by numpy would take longer than all the rest
        return (low, middle) if wins else (middle, high)
    return np.where(wins, low, middle), np.where(wins, middle, high)


def halve(
    line: Line,
    ask: Callable[[Array], Step[Any]],
    *,
    halvings: int,
    lines: int | None = None,
    precision: float = 0.0,
    ends_at_rounding: bool = False,
) -> Step[Along]:
    """Ask for the point in the middle of what is left of a line, and go on in the half where the answer turns.

    The far point is known to be adversarial; `ask` tells it of the points between, of one line or of so many `lines`
    in step. Ends after these halvings; or when what is left is no longer than `precision`, as a share; or, at
    rounding, when the middle of a single line is one of its ends. Returns the shares of the nearest points that were
    adversarial.
    """
    low, high = (0.0, 1.0) if lines is None else (np.zeros(lines), np.ones(lines))
    near_end, far_end = line.x, line.far
    for done in range(halvings):
        if 0.5**done <= precision:
            break
        points = line.at((low + high) / 2)
        if ends_at_rounding and (np.array_equal(points, near_end) or np.array_equal(points, far_end)):
            break
        wins = yield from ask(points)
        low, high = narrowed(low, high, wins)
        if ends_at_rounding:
            near_end, far_end = (near_end, points) if wins else (points, far_end)
    return float(high) if lines is None else high
