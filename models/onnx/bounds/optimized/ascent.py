"""The best of many lower bounds that leave something free, by projected gradient ascent: every one on the way is sound.

Xu et al. 2021 (alpha-CROWN, arXiv:2011.13824) and Wang et al. 2021 (beta-CROWN, arXiv:2103.06624) ascend so: Adam
(Kingma and Ba 2015), a step size that shrinks, each step cut to what is allowed. The gradient only says where to look;
of all that was looked at, each objective keeps its best. Objectives never meet, so none depends on its company.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.onnx.bounds.linear.slopes import flat

RATE, SHRINKING = 0.25, 0.98  # of shares: the step size at first, and what is left of it after each step
MULTIPLIER_RATE = 0.05  # of multipliers, at first
FIRST, SECOND, TINY = 0.9, 0.999, 1e-8  # Adam's decay of means and squares, and what keeps its quotient finite


@dataclass(frozen=True)
class Choice:
    """A choice is all that is free in the lower bounds of B objectives."""

    shares: Mapping[str, Tensor] = field(default_factory=dict)  # step -> (B, ...) in [0, 1]: `Picked.at`
    multipliers: Mapping[str, Tensor] = field(default_factory=dict)  # value -> (B, *shape), none below 0

    def tensors(self) -> Iterator[Tensor]:
        yield from self.shares.values()
        yield from self.multipliers.values()

    def map(self, change: Callable[[Tensor], Tensor]) -> "Choice":
        """Make another choice of these tensors, each changed."""
        return Choice(
            {name: change(values) for name, values in self.shares.items()},
            {name: change(values) for name, values in self.multipliers.items()},
        )

    def packed(self) -> Tensor:
        """Write the shares of each objective into one line: (B, numbers)."""
        return torch.cat([flat(shares) for shares in self.shares.values()], dim=1)

    def moved_to(self, lines: Sequence[NDArray[np.float32] | None]) -> "Choice":
        """Make a choice of other shares, B lines as `packed` writes them. What a line does not say stays."""
        if not self.shares:
            return self
        packed = self.packed()
        for b, line in enumerate(lines):
            if line is not None and line.shape == packed.shape[1:]:
                said = torch.from_numpy(line).to(packed)
                packed[b] = torch.where(said.isnan(), packed[b], said)
        parts = packed.split_with_sizes([flat(shares).shape[1] for shares in self.shares.values()], dim=1)
        laid = (part.reshape(shares.shape) for part, shares in zip(parts, self.shares.values(), strict=True))
        return Choice(dict(zip(self.shares, laid, strict=True)), self.multipliers)


def ascend(bound: Callable[[Choice], Tensor], start: Choice, steps: int) -> tuple[Tensor, Choice]:
    """Look for the choice with the largest bounds (B,), from `start` on. Returns the best bounds and their choice.

    `bound` must be sound for every choice; where it is no number, it is not kept.
    """
    now = start.map(lambda values: values.detach().clone().requires_grad_())
    moves = [_Adam(values, RATE, 1.0) for values in now.shares.values()]
    moves += [_Adam(values, MULTIPLIER_RATE, torch.inf) for values in now.multipliers.values()]
    kept = now.map(lambda values: values.detach().clone())
    found = bound(now)
    best = torch.where(found.isnan(), -torch.inf, found.detach())
    for step in range(steps if found.requires_grad else 0):  # else nothing that is free is met
        slopes = torch.autograd.grad(found.sum(), list(now.tensors()), materialize_grads=True)
        for move, slope in zip(moves, slopes, strict=True):
            move(slope, step)
        found = bound(now)
        better = found.detach() > best
        best = torch.where(better, found.detach(), best)
        for keep, values in zip(kept.tensors(), now.tensors(), strict=True):
            keep[better] = values.detach()[better]
    return best, kept


class _Adam:
    """Adam moves one tensor uphill, number by number, within [0, most]."""

    def __init__(self, values: Tensor, rate: float, most: float) -> None:
        self._values, self._rate, self._most = values.detach(), rate, most
        self._mean, self._square = torch.zeros_like(self._values), torch.zeros_like(self._values)

    def __call__(self, slope: Tensor, step: int) -> None:
        self._mean.lerp_(slope, 1 - FIRST)
        self._square.mul_(SECOND).addcmul_(slope, slope, value=1 - SECOND)
        size = (self._square / (1 - SECOND ** (step + 1))).sqrt_().add_(TINY)
        rate = self._rate * SHRINKING**step / (1 - FIRST ** (step + 1))
        self._values.addcdiv_(self._mean, size, value=rate).clamp_(0, self._most)
