"""One ball within the box, flat: the least value of many linear functions over it, and where it lies."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.linear.concretization import MOST


@dataclass(frozen=True)
class CutBall:
    """A ball is cut to the box, as `models.onnx.bounds.linear.concretization.Balls` holds many."""

    x: Tensor  # (d,) float64
    below: Tensor  # (d,) x - lower, infinite without a box
    above: Tensor  # (d,)
    radius: Tensor  # ()
    norm: Norm

    def to(self, dtype: torch.dtype) -> Self:
        x, below, above, radius = (value.to(dtype) for value in (self.x, self.below, self.above, self.radius))
        return type(self)(x, below, above, radius, self.norm)

    def least(self, slopes: Tensor) -> tuple[Tensor, Tensor]:
        """Find min a.z for each row of slopes (m, d): the values (m,), and where in the ball they lie, (m, d)."""
        if self.norm is Norm.LINF:
            middle, half = self._middle()
            return slopes @ middle - slopes.abs() @ half, middle - slopes.sign() * half
        gain, radii = slopes.abs(), self.radius.expand(len(slopes))
        most, steps = MOST[self.norm](gain, torch.where(slopes > 0, self.below, self.above), radii)
        return slopes @ self.x - most, self.x - slopes.sign() * steps

    @property
    def exponent(self) -> int | None:
        """Give p of a norm that adds up the p-th powers of coordinates; None of the largest coordinate."""
        return {Norm.L1: 1, Norm.L2: 2}.get(self.norm)

    def resized(self, radius: float) -> Self:
        return replace(self, radius=torch.full_like(self.radius, radius))

    def shrunk(self, points: Tensor) -> Tensor:
        """Move points (m, d) towards the center as far as they lie outside of the ball."""
        if self.exponent is None:
            return torch.clamp(points, *self.hull())
        offsets = points - self.x
        lengths = (offsets.abs() ** self.exponent).sum(1, keepdim=True) ** (1 / self.exponent)
        return self.x + offsets * (self.radius / lengths.clamp(min=1e-300)).clamp(max=1)

    def hull(self) -> tuple[Tensor, Tensor]:
        return self.x - torch.minimum(self.below, self.radius), self.x + torch.minimum(self.above, self.radius)

    def _middle(self) -> tuple[Tensor, Tensor]:
        lower, upper = self.hull()
        return (lower + upper) / 2, (upper - lower) / 2
