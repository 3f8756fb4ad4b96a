"""Adam (Kingma and Ba 2015) for a few steps by numbers of which most begin at their best.

Their steps shrink where a derivative is small beside the steepest one of the row: without that, the first steps threw
away what the start was worth.
"""

from copy import copy

import torch
from torch import Tensor

BETA_1, BETA_2 = 0.7, 0.9  # shorter memories than the paper takes: there are some twenty steps
FLOOR = 0.1  # of a row's steepest derivative: below it steps shrink
TINY = 1e-30


class ScaledAdam:
    """Scaled Adam is a way to step by one or two groups of numbers, (B, N) each, which share one scale in each row."""

    def __init__(self, like: Tensor, groups: int) -> None:
        self.means, self.squares = ([torch.zeros_like(like) for _ in range(groups)] for _ in range(2))
        self.step = 0

    def of(self, which: Tensor) -> "ScaledAdam":
        """Go on with some of the rows."""
        some = copy(self)
        some.means, some.squares = ([values[which] for values in each] for each in (self.means, self.squares))
        return some

    def moves(self, gradients: list[Tensor]) -> list[Tensor]:
        self.step += 1
        first, second = 1 - BETA_1**self.step, 1 - BETA_2**self.step
        steepest = torch.stack([each.abs().amax(1, keepdim=True) for each in gradients]).amax(0)
        floor = FLOOR * steepest + TINY
        for mean, square, gradient in zip(self.means, self.squares, gradients, strict=True):
            mean.lerp_(gradient, 1 - BETA_1)
            square.lerp_(gradient.square(), 1 - BETA_2)
        return [(m / first) / ((s / second).sqrt() + floor) for m, s in zip(self.means, self.squares, strict=True)]
