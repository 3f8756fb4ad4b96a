"""What stands in for an operator that is not affine: bounds that are linear in its inputs, or constant."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from models.onnx.bounds.linear.slopes import Slopes, flat

Intervals = tuple[Tensor, Tensor]  # lower, upper: (R, *shape)


class Relaxed(Protocol):
    """A relaxed operator is replaced by linear bounds, which hold for each of R rows on its intervals of inputs."""

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes, ...], Tensor]:
        """Bound B objectives from below by the inputs: a.y >= sum of a_i.x_i + c; a, rows (B,) -> all a_i, c (B,).

        No a_i at all: the bound is a constant.
        """
        ...


@dataclass(frozen=True)
class LinearBounds:
    """Linear bounds are sum lower_slopes x + lower_offset <= y <= the same of upper ones, number by number.

    Speaks `Relaxed`.
    """

    lower_slopes: tuple[Tensor, ...]  # one for each input, (R, *shape)
    lower_offset: Tensor
    upper_slopes: tuple[Tensor, ...]
    upper_offset: Tensor

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes, ...], Tensor]:
        """Take the bound below where a slope is positive, the one above where it is negative."""
        found = [self._backward(part, some) for part, some in slopes.parts(rows)]
        if len(found) == 1:
            return found[0]
        by_input, constants = zip(*found, strict=True)
        whole = (torch.cat([part.numbers for part in parts]) for parts in zip(*by_input, strict=True))
        return tuple(map(slopes.with_numbers, whole)), torch.cat(constants)

    def _backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes, ...], Tensor]:
        rising, falling = slopes.numbers.clamp(min=0), slopes.numbers.clamp(max=0)
        offset = (rising * slopes.of(self.lower_offset, rows)).add_(falling * slopes.of(self.upper_offset, rows))
        constant = flat(offset).sum(1)
        del offset  # as large as the slopes, which are made next
        below = (
            (rising * slopes.of(lower, rows)).add_(falling * slopes.of(upper, rows))
            for lower, upper in zip(self.lower_slopes, self.upper_slopes, strict=True)
        )
        return tuple(map(slopes.with_numbers, below)), constant


@dataclass(frozen=True)
class ConstantBounds:
    """Constant bounds are lower <= y <= upper: the interval itself, without a slope. Speaks `Relaxed`."""

    lower: Tensor
    upper: Tensor

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes, ...], Tensor]:
        """Take the end of the interval that is worse for the objective."""
        rising, falling = slopes.numbers.clamp(min=0), slopes.numbers.clamp(max=0)
        bound = rising * slopes.of(self.lower, rows) + falling * slopes.of(self.upper, rows)
        return (), flat(bound).sum(1)
