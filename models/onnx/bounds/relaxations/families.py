"""Relaxations that leave something free: every share in [0, 1] is sound, and a search may look for the best.

A Relu may have a lower line of any slope in [0, 1] (Xu et al. 2021, arXiv:2011.13824, alpha-CROWN); a product lies
above any mixture of the two planes below it. One share for each objective and number is enough: an objective leans on
a number from above or from below, not both.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.relaxations.relaxed import LinearBounds, Relaxed


class Picked(ABC):
    """What a free relaxation says of the numbers that B objectives lean on, each in the region of its row."""

    start: Tensor  # (B, ...), as the slopes' numbers: shares about as good as what it is by itself

    @abstractmethod
    def at(self, shares: Tensor) -> Relaxed:
        """Lay it by shares (B, ...) in [0, 1], for these objectives; differentiable in them."""


class Free(Relaxed, ABC):
    """A relaxation is free where it may be laid in more than one way. By itself it is laid as CROWN lays it."""

    @abstractmethod
    def pick(self, slopes: Slopes, rows: Tensor) -> Picked:
        """Pick what the objectives that come with these slopes from the regions of `rows` (B,) will ask for."""


@dataclass(frozen=True)
class Family(LinearBounds, Free):
    """A family of linear bounds is all that lies between two: first + share (second - first), number by number.

    What both have as one tensor stays as it is.
    """

    first: LinearBounds
    second: LinearBounds
    start: Tensor  # (R, *out) shares

    def pick(self, slopes: Slopes, rows: Tensor) -> Picked:
        def span(one: Tensor, other: Tensor) -> _Span:
            begin = slopes.of(one, rows)
            return begin, None if one is other else slopes.of(other, rows) - begin

        first, second = self.first, self.second
        return _PickedFamily(
            slopes.of(self.start, rows),
            tuple(map(span, first.lower_slopes, second.lower_slopes)),
            span(first.lower_offset, second.lower_offset),
            tuple(map(span, first.upper_slopes, second.upper_slopes)),
            span(first.upper_offset, second.upper_offset),
        )


_Span = tuple[Tensor, Tensor | None]  # from the first to the second: where it begins, and how far it goes


@dataclass(frozen=True)
class _PickedFamily(Picked):
    start: Tensor
    lower_slopes: tuple[_Span, ...]
    lower_offset: _Span
    upper_slopes: tuple[_Span, ...]
    upper_offset: _Span

    def at(self, shares: Tensor) -> Relaxed:
        def mixed(span: _Span) -> Tensor:
            begin, reach = span
            return begin if reach is None else torch.addcmul(begin, shares, reach)

        return Member(
            tuple(map(mixed, self.lower_slopes)),
            mixed(self.lower_offset),
            tuple(map(mixed, self.upper_slopes)),
            mixed(self.upper_offset),
        )


@dataclass(frozen=True)
class Member:
    """A member of a family is linear bounds of the very numbers that objectives lean on. Speaks `Relaxed`."""

    lower_slopes: tuple[Tensor, ...]  # one for each input, (B, ...) as the slopes' numbers
    lower_offset: Tensor
    upper_slopes: tuple[Tensor, ...]
    upper_offset: Tensor

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes, ...], Tensor]:
        """Take the bound below where a slope is positive, the one above where it is negative."""
        del rows
        rising, falling = slopes.numbers.clamp(min=0), slopes.numbers.clamp(max=0)
        parts = (
            rising * below + falling * above for below, above in zip(self.lower_slopes, self.upper_slopes, strict=True)
        )
        offset = rising * self.lower_offset + falling * self.upper_offset
        return tuple(replace(slopes, numbers=numbers) for numbers in parts), flat(offset).sum(1)
