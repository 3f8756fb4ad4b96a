"""Relaxations that leave something free: every share in [0, 1] is sound, and a search may look for the best.

A Relu may have a lower line of any slope in [0, 1] (Xu et al. 2021, arXiv:2011.13824, alpha-CROWN); a product lies
above any mixture of the two planes below it. One share for each objective and number is enough: an objective leans on
a number from above or from below, not both.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from torch import Tensor

from models.onnx.bounds.relaxations import LinearBounds, Relaxed
from models.onnx.bounds.slopes import Slopes, flat


class Free(Relaxed, ABC):
    """A relaxation is free where it may be laid in more than one way. By itself it is laid as CROWN lays it."""

    start: Tensor  # (R, *out) shares that are about as good as what it is by itself

    @abstractmethod
    def at(self, shares: Tensor) -> Relaxed:
        """Lay it by the shares (B, *out) in [0, 1], one for each of B objectives; differentiable in them."""


@dataclass(frozen=True)
class Family(LinearBounds, Free):
    """A family of linear bounds is all that lies between two: first + share (second - first), number by number.

    What both have as one tensor stays as it is.
    """

    first: LinearBounds
    second: LinearBounds
    start: Tensor

    def at(self, shares: Tensor) -> Relaxed:
        return _Member(self.first, self.second, shares)


@dataclass(frozen=True)
class _Member:
    """A member of a family has its shares. Speaks `Relaxed`."""

    first: LinearBounds
    second: LinearBounds
    shares: Tensor  # (B, *out)

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes, ...], Tensor]:
        """Take the bound below where a slope is positive, the one above where it is negative."""
        shares = slopes.own(self.shares)

        def mixed(one: Tensor, other: Tensor) -> Tensor:
            begin = slopes.of(one, rows)
            return begin if one is other else begin + shares * (slopes.of(other, rows) - begin)

        rising, falling = slopes.numbers.clamp(min=0), slopes.numbers.clamp(max=0)
        first, second = self.first, self.second
        lower = map(mixed, first.lower_slopes, second.lower_slopes)
        upper = map(mixed, first.upper_slopes, second.upper_slopes)
        parts = (rising * below + falling * above for below, above in zip(lower, upper, strict=True))
        offset = rising * mixed(first.lower_offset, second.lower_offset)
        offset = offset + falling * mixed(first.upper_offset, second.upper_offset)
        return tuple(replace(slopes, numbers=numbers) for numbers in parts), flat(offset).sum(1)
