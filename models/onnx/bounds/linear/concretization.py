"""The least value of a linear function over a norm ball within the box, exactly.

A row's step h moves each coordinate by at most its room towards the box's side that the slope points away from. So
min a.h = -max sum |a_i| t_i over 0 <= t_i <= room_i, ||t||_p <= radius, one such problem for every objective.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.linear.slopes import Slopes

Filled = tuple[Tensor, Tensor]  # the most that can be gained (B,), and the steps t (B, d) that gain it, or nearly

ROUNDS = 30  # of water filling; seldom more than ten are needed, and stopping early is sound


@dataclass(frozen=True)
class Balls:
    """Balls are one for each of R rows. Rows and box are float32, so x +- room is exact enough in float64."""

    x: Tensor  # (R, *shape) float64
    below: Tensor  # (R, *shape) x - lower, infinite without a box
    above: Tensor  # (R, *shape) upper - x
    radii: Tensor  # (R,)
    norm: Norm

    def hull(self) -> tuple[Tensor, Tensor]:
        """Find the smallest interval that holds each ball within the box: (R, *shape) each."""
        reach = self.radii.reshape(-1, *[1] * (self.x.dim() - 1))
        return self.x - torch.minimum(self.below, reach), self.x + torch.minimum(self.above, reach)

    def are_cut(self) -> Tensor:
        """Tell where the box takes something from a ball that is not a box itself: (R,) bool."""
        room = torch.minimum(self.below, self.above).flatten(1).amin(1)
        return (room < self.radii) & (self.norm is not Norm.LINF)

    def least(self, slopes: Slopes, rows: Tensor) -> Tensor:
        """Find min a.z over the ball of row `rows[b]`, for each objective a: (B,)."""
        a = slopes.numbers.flatten(1)  # (B, d), d the numbers of the window
        x, below, above = (slopes.of(values, rows).flatten(1) for values in (self.x, self.below, self.above))
        return (a * x).sum(1) - MOST[self.norm](a.abs(), torch.where(a > 0, below, above), self.radii[rows])[0]

    def lowest(self, slopes: Slopes, rows: Tensor) -> Tensor:
        """Find where a.z is least over the ball of row `rows[b]`, or nearly: (B, *shape)."""
        a = slopes.whole().numbers
        room = torch.where(a > 0, self.below[rows], self.above[rows])
        _, steps = MOST[self.norm](a.abs().flatten(1), room.flatten(1), self.radii[rows])
        return self.x[rows] - a.sign() * steps.reshape(a.shape)


def _most_linf(gain: Tensor, room: Tensor, radii: Tensor) -> Filled:
    steps = torch.minimum(room, radii[:, None])
    return (gain * steps).sum(1), steps


def _most_l1(gain: Tensor, room: Tensor, radii: Tensor) -> Filled:
    """The fractional knapsack: the steepest coordinates first, each as far as its room goes."""
    gain, order = gain.sort(dim=1, descending=True, stable=True)
    spent = torch.minimum(room.gather(1, order).cumsum(1), radii[:, None])
    steps = torch.diff(spent, dim=1, prepend=torch.zeros_like(spent[:, :1]))
    return (gain * steps).sum(1), torch.zeros_like(steps).scatter(1, order, steps)


def _most_l2(gain: Tensor, room: Tensor, radii: Tensor) -> Filled:
    """By the dual: radius^2 / (2s) + sum(g t - t^2 / (2s)) with t = min(g s, room) is no less for any s > 0.

    The best s makes t as long as the radius. Water filling finds it from below: s = radius / ||g||, then as far as the
    length that those leave who have reached their room. Where all fit, the maximum is sum(g room).
    """
    room = torch.minimum(room, radii[:, None])
    room = torch.where(gain > 0, room, 0.0)  # (B, d)
    whole = (gain * room).sum(1)
    budget = radii.square()
    small = 1e-300 if gain.dtype is torch.float64 else 1e-30
    slopes, gain = gain, gain.detach()  # at the best s, how s moves with the gain changes nothing
    scale = radii / gain.square().sum(1).sqrt().clamp(min=small)
    for _ in range(ROUNDS):
        full = gain * scale[:, None] >= room
        left = budget - (full * room.square()).sum(1)
        free = torch.where(full, 0.0, gain).square().sum(1)
        better = (left.clamp(min=0) / free.clamp(min=small)).sqrt()
        last, scale = scale, torch.where(free > 0, torch.maximum(scale, better), scale)
        if scale.device.type == "cpu" and torch.equal(scale, last):  # more rounds would change no bit: a card
            break  # makes them sooner than it is asked
    steps = torch.minimum(gain * scale[:, None], room)
    dual = (slopes * steps).sum(1) + (budget - steps.square().sum(1)) / (2 * scale.clamp(min=small))
    return torch.minimum(dual, whole), steps


MOST = {Norm.L1: _most_l1, Norm.L2: _most_l2, Norm.LINF: _most_linf}
