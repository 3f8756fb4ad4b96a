"""Slopes of many objectives by one value: by all of it, or by a window outside of which they are zero.

A neuron behind convolutions sees a small window of each value before them. Going back with windows instead of whole
values saves most of the work, and changes no number beyond rounding.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from models.onnx.bounds.graph.tracing import Shape

_Places = tuple[Tensor | None, Tensor]  # the rows asked for, and where the numbers lie

TEMPORARY = 2**19  # numbers of what is made on the way, on a processor: they stay in its cache, and memory is spared
WHOLE = 0.5  # a window larger than this share of its value is carried as the whole value


def flat(values: Tensor) -> Tensor:
    """Flatten (m, *shape) to (m, numbers). A row of a value [N] is a number without an axis."""
    return values.unsqueeze(-1).flatten(1)


def parts_of(count: int, numbers: int, device: torch.device) -> int:
    """Count the parts in which so many objectives are worked that make so many numbers each on the way.

    One on a card. A part never has a single objective, which would take another kernel.
    """
    return max(1, -(-count // max(4, TEMPORARY // max(1, numbers)))) if device.type == "cpu" else 1


@dataclass(frozen=True)
class Slopes:
    """Slopes are (B, *shape), or at a `corner` a window (B, C, *size) of a value (C, *spatial), 0 where it juts out."""

    numbers: Tensor
    shape: Shape  # of the value
    corner: Tensor | None = None  # (B, axes) position of the window's first number: negative where it juts out
    known: list[_Places] = field(default_factory=list, init=False, repr=False, compare=False)  # of this window

    @classmethod
    def one_hot(cls, positions: Tensor, shape: Shape) -> "Slopes":
        """Put 1 at one number each, counted in the flattened value: positions (B,).

        A window of one where axes allow.
        """
        count, channels = math.prod(shape), shape[0] if len(shape) > 1 else math.prod(shape)
        channel = positions // (count // channels)
        numbers = torch.zeros(len(positions), channels, dtype=torch.float64, device=positions.device)
        numbers[torch.arange(len(positions), device=positions.device), channel] = 1.0
        if len(shape) < 2:
            return cls(numbers.reshape(-1, *shape), shape)
        rest = positions % (count // channels)
        corner = torch.stack(torch.unravel_index(rest, shape[1:]), dim=1)
        return cls(numbers.reshape(-1, channels, *[1] * (len(shape) - 1)), shape, corner)

    def times(self, factors: Tensor) -> "Slopes":
        """Multiply each objective by its own factor (B,), or each number by its own (B, ...) as `of` gives them."""
        if factors.dim() == 1:
            factors = factors.reshape(-1, *[1] * (self.numbers.dim() - 1))
        return self.with_numbers(self.numbers * factors)

    def with_numbers(self, numbers: Tensor) -> "Slopes":
        """Make slopes with other numbers (B, ...) at the same window; where that lies is not looked up again."""
        made = Slopes(numbers, self.shape, self.corner)
        object.__setattr__(made, "known", self.known)
        return made

    def of(self, values: Tensor, rows: Tensor | None = None) -> Tensor:
        """Pick the values (R, *shape) that the slopes are about, from the row of each objective: (B, ...).

        `rows` None: R is 1, the same values for every objective.
        """
        if not any(values.stride()):  # one number stands for all of them
            return values[(0,) * values.dim()]
        if self.corner is None:
            return values if rows is None else values.index_select(0, rows)
        return values.reshape(-1).index_select(0, self._places(rows)).reshape(self.numbers.shape)

    def parts(self, rows: Tensor) -> Iterator[tuple["Slopes", Tensor]]:
        """Yield them with their rows (B,), a few objectives at a time where what is made of all would be large.

        To be worked number by number, or objective by objective: that has the same bits in parts as at once.
        """
        count = parts_of(len(rows), math.prod(self.numbers.shape[1:]), rows.device)
        if count == 1 or self.corner is not None:  # where a window's numbers lie is found once, for all
            yield self, rows
            return
        for numbers, some in zip(self.numbers.tensor_split(count), rows.tensor_split(count), strict=True):
            yield Slopes(numbers, self.shape), some

    def whole(self) -> "Slopes":
        """Write the slopes out without a window."""
        if self.corner is None:
            return self
        spread = self.numbers.new_zeros(len(self.numbers), self._count)
        spread.scatter_add_(1, flat(self._positions), flat(self.numbers))
        return Slopes(spread.reshape(-1, *self.shape), self.shape)

    def plus(self, other: "Slopes") -> "Slopes":
        if self._lies_as(other):
            return Slopes(self.numbers + other.numbers, self.shape, self.corner)
        return Slopes(self.whole().numbers + other.whole().numbers, self.shape)

    def cropped(self) -> "Slopes":
        """Put zeros where the window juts out, and take the whole value where the window is most of it."""
        assert self.corner is not None
        numbers = self.numbers
        for axis, (at, size) in enumerate(zip(self._coordinates, self.shape[1:], strict=True)):
            inside = (at >= 0) & (at < size)  # (B, size of the window)
            if inside.device.type == "cpu" and bool(inside.all()):  # a card is waited for whenever it is asked
                continue
            kept = inside.reshape(len(at), 1, *[1] * axis, -1, *[1] * (len(self.shape) - 2 - axis))
            numbers = numbers * kept.to(numbers)
        made = Slopes(numbers, self.shape, self.corner)
        return made.whole() if math.prod(numbers.shape[1:]) > WHOLE * self._count else made

    def _lies_as(self, other: "Slopes") -> bool:
        if self.corner is None or other.corner is None or self.numbers.shape != other.numbers.shape:
            return False
        return bool((self.corner == other.corner).all())

    @property
    def _count(self) -> int:
        return math.prod(self.shape)

    @property
    def _coordinates(self) -> list[Tensor]:
        """For each axis, (B, size of the window) positions in the value."""
        assert self.corner is not None
        sizes = self.numbers.shape[2:]
        return [
            corner[:, None] + torch.arange(size, device=corner.device)
            for corner, size in zip(self.corner.unbind(1), sizes, strict=True)
        ]

    def _places(self, rows: Tensor | None) -> Tensor:
        """(B x numbers of the window,) where each lies among the numbers of all rows; kept, for it is asked often."""
        for asked, places in self.known:
            if asked is rows:
                return places
        found = self._positions
        if rows is not None:
            found = found + rows.reshape(-1, *[1] * len(self.shape)) * self._count
        self.known.append((rows, found.reshape(-1)))
        return found.reshape(-1)

    @cached_property
    def _positions(self) -> Tensor:
        """(B, C, *size) positions in the flattened value; anywhere in it where the window juts out."""
        channels = torch.arange(self.shape[0], device=self.numbers.device)
        found = channels.reshape(1, -1, *[1] * (len(self.shape) - 1))
        for axis, (at, size) in enumerate(zip(self._coordinates, self.shape[1:], strict=True)):
            at = at.clamp(0, size - 1).reshape(len(at), 1, *[1] * axis, -1, *[1] * (len(self.shape) - 2 - axis))
            found = found * size + at
        return found
