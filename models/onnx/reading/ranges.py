"""What a graph says of the numbers of one of its values, without being run: between which ends they lie, and more.

Ends are of real arithmetic and hold for every input, however far. They tell a probability from a logit and prove
nothing of robustness.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

INF = math.inf


@dataclass(frozen=True)
class Mix:
    """A mix is one number a row put together from the shares of one soft-max: sum(weights * shares) + offset."""

    of: str  # the soft-max
    weights: tuple[float, ...]
    offset: float = 0.0

    @property
    def ends(self) -> tuple[float, float]:
        """Find the least and the largest mix of shares that sum to one."""
        return min(self.weights) + self.offset, max(self.weights) + self.offset

    def times(self, factor: float) -> "Mix":
        return Mix(self.of, tuple(factor * weight for weight in self.weights), factor * self.offset)

    def plus(self, other: "Mix") -> "Mix":
        added = zip(self.weights, other.weights, strict=True)
        return Mix(self.of, tuple(a + b for a, b in added), self.offset + other.offset)


@dataclass(frozen=True)
class Range:
    """A range holds all numbers that a value of the graph can have."""

    low: float = -INF
    high: float = INF
    total: tuple[float, float] | None = None  # of the numbers along the last axis, where none is negative
    shares_of: str | None = None  # the soft-max, where these are all of its shares
    mix: Mix | None = None
    is_whole: bool = False
    is_score: bool = False  # an affine map of unbounded numbers or of many: what a linear layer gives out
    is_known: bool = True  # else nothing is known of the operator, or of those before it

    @property
    def is_finite(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def ends_alone(self) -> "Range":
        """Forget how the numbers of a row hang together."""
        return replace(self, total=None, shares_of=None, mix=None)

    def mapped(self, low: float, high: float, *, is_whole: bool = False) -> "Range":
        """Take the ends that a function maps this range to.

        Of what is unknown nothing is known after it either, unless the function answers between two ends whatever it
        is given: an end that is infinite would be taken for a number without end, a logit.
        """
        found = Range(low, high, is_whole=is_whole)
        return replace(found, is_known=self.is_known or found.is_finite)

    def within(self, low: float, high: float) -> "Range":
        """Cut the range to what lies within two ends, for functions that map into them."""
        return Range(max(low, min(self.low, high)), min(high, max(self.high, low)), is_known=self.is_known)


UNKNOWN = Range(is_known=False)
ANY = Range()


def of_array(values: NDArray[Any]) -> Range:
    """Take the range of a constant."""
    if not values.size or values.dtype.kind not in "fiub":
        return UNKNOWN
    numbers = values.astype(np.float64)
    if np.isnan(numbers).any():
        return UNKNOWN
    return Range(float(numbers.min()), float(numbers.max()), is_whole=bool((numbers == np.floor(numbers)).all()))


def hull(*ranges: Range) -> Range:
    """Hold what any of the ranges holds."""
    return Range(
        min(each.low for each in ranges),
        max(each.high for each in ranges),
        is_whole=all(each.is_whole for each in ranges),
        is_score=any(each.is_score for each in ranges),
        is_known=all(each.is_known for each in ranges),
    )


def sum_of(one: Range, other: Range) -> Range:
    """Add two ranges, number by number."""
    if (mix := _mixed(one, other)) is not None:
        return of_mix(mix)
    total = None if one.total is None or other.total is None else _plus(one.total, other.total)
    low, high = _plus((one.low, one.high), (other.low, other.high))
    return _affine(Range(low, high, total, is_whole=one.is_whole and other.is_whole), one, other)


def _mixed(one: Range, other: Range) -> Mix | None:
    """Two mixes of the same shares, or one and a constant, are a mix."""
    if one.mix is not None and other.mix is not None:
        return one.mix.plus(other.mix) if one.mix.of == other.mix.of else None
    for mix, point in ((one.mix, other), (other.mix, one)):
        if mix is not None and point.low == point.high:
            return replace(mix, offset=mix.offset + point.low)
    return None


def of_mix(mix: Mix) -> Range:
    """Take the range of a mix."""
    return Range(*mix.ends, mix=mix)


def negative(range_: Range) -> Range:
    """Change the sign of a range."""
    mix = None if range_.mix is None else range_.mix.times(-1.0)
    return replace(range_, low=-range_.high, high=-range_.low, total=None, shares_of=None, mix=mix)


def scaled(range_: Range, factors: NDArray[Any]) -> Range:
    """Multiply a range by constants, number by number. Raises ValueError where there are none."""
    low, high = float(factors.min()), float(factors.max())
    if range_.mix is not None and low == high:
        return of_mix(range_.mix.times(low))
    total = None
    if range_.total is not None and low >= 0:
        total = (range_.total[0] * low, range_.total[1] * high)
    ends = _corners(range_, Range(low, high))
    return _affine(Range(*ends, total), range_)


def product(one: Range, other: Range) -> Range:
    """Multiply two ranges, number by number."""
    return Range(*_corners(one, other), is_known=one.is_known and other.is_known)


def reciprocal(range_: Range) -> Range:
    """Take one over a range: unbounded where it holds zero."""
    if range_.low < 0 < range_.high:
        return replace(ANY, is_known=range_.is_known)
    if range_.low >= 0:
        high = 1 / range_.low if range_.low > 0 else INF
        return Range(1 / range_.high if range_.high > 0 else INF, high, is_known=range_.is_known)
    return negative(reciprocal(negative(range_)))


def contracted(range_: Range, weights: NDArray[Any], bias: NDArray[Any] | float = 0.0) -> Range:
    """Map many numbers (in,) to few by weights (in, out) and a bias that broadcasts over (out,)."""
    numbers = weights.astype(np.float64)
    if range_.total is not None:
        first, last = range_.total
        least, most = numbers.min(axis=0), numbers.max(axis=0)
        low, high = np.minimum(first * least, last * least), np.maximum(first * most, last * most)
        keeps = range_.is_finite
    else:
        up, down = np.maximum(numbers, 0), np.minimum(numbers, 0)
        low = (_times(up, range_.low) + _times(down, range_.high)).sum(axis=0)
        high = (_times(up, range_.high) + _times(down, range_.low)).sum(axis=0)
        keeps = len(numbers) < 2
    found = Range(float((low + bias).min()), float((high + bias).max()))
    return _affine(found, range_) if keeps else replace(found, is_score=True)


def _affine(found: Range, *sources: Range) -> Range:
    """An affine map of what is unbounded, or of a score, is a score; what is unknown may well be bounded."""
    is_score = any(source.is_score or (source.is_known and not source.is_finite) for source in sources)
    return replace(found, is_score=is_score, is_known=is_score or all(source.is_known for source in sources))


def _corners(one: Range, other: Range) -> tuple[float, float]:
    found = [times(a, b) for a in (one.low, one.high) for b in (other.low, other.high)]
    return min(found), max(found)


def times(a: float, b: float) -> float:
    """Multiply two ends; zero times what is unbounded is zero."""
    return 0.0 if 0 in (a, b) else a * b


def _times(numbers: NDArray[np.float64], end: float) -> NDArray[np.float64]:
    return np.multiply(numbers, end, where=numbers != 0, out=np.zeros_like(numbers))


def _plus(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] + other[0], one[1] + other[1]
