"""Lower bounds of many domains at once, with slopes and multipliers optimized together: beta-CROWN.

Wang, Zhang, Xu, Lin, Jana, Hsieh, Kolter 2021 (arXiv:2103.06624), on a reduced network. Going back from a row, with a
the coefficient of a neuron's answer h:

    coefficient of z:  e = max(a, 0) alpha + min(a, 0) u / (u - l) - s beta,  which goes on to all neurons before by M

The linear function of the input that is left is below the row wherever s z >= 0 for every neuron that is split (s = 1:
z >= 0; s = -1: z <= 0), for all slopes alpha in [leak, 1] and all multipliers beta >= 0. Its least value over the ball
is a bound. Where the ball's minimum lies, the values that the lines give going forward are the bound's derivatives by
each a (Danskin's theorem), so a gradient costs one pass back and one forward.

Slopes and multipliers are looked for in float32. The bound that counts is computed from them in float64.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from models.onnx.bounds.branching.ball import CutBall
from models.onnx.bounds.branching.reduced import KeptRows, Reduced

RATE, FADING = 0.25, 0.96  # of the first step, and what each step keeps of it: of a slope, or of a coefficient's size
BETA_1, BETA_2 = 0.7, 0.9  # shorter memories than Kingma and Ba 2015 take: there are some twenty steps
FLOOR = 0.1  # of a domain's steepest derivative: below it steps shrink, for most start at their best
TINY = 1e-30


@dataclass(frozen=True)
class Known:
    """What is known of the N neurons of B domains, (B, N) each."""

    lower: Tensor
    upper: Tensor
    signs: Tensor  # 1, -1: which side was chosen; 0: none was

    @property
    def free(self) -> Tensor:
        """Tell which neurons may be on either side."""
        return (self.lower < 0) & (self.upper > 0)

    def __getitem__(self, which: Tensor) -> "Known":
        return Known(self.lower[which], self.upper[which], self.signs[which])


class Multipliers(NamedTuple):
    """What a bound may choose freely: slopes below, and multipliers of splits, (B, N) each."""

    alpha: Tensor
    beta: Tensor

    def of(self, which: Tensor) -> "Multipliers":
        return Multipliers(self.alpha[which], self.beta[which])


@dataclass(frozen=True)
class Bounds:
    """B lower bounds, and how they came about."""

    values: Tensor  # (B,)
    points: Tensor  # (B, d) where the linear bounds are least
    coefficients: Tensor  # (B, N) a, of every neuron's answer
    input_slopes: Tensor  # (B, d)
    lines: Tensor  # (B, N) the line that was taken for each neuron
    entering: Tensor  # (B, N) e


class Bounding:
    """Bounding is done on one reduced network and ball, in one type of number."""

    def __init__(self, network: Reduced, ball: CutBall, dtype: torch.dtype) -> None:
        self.network, self.ball, self.dtype = network.to(dtype), ball.to(dtype), dtype

    def adaptive(self, known: Known) -> Multipliers:
        """Begin as CROWN does: the slope below that wastes the smaller area, and no multiplier."""
        alpha = torch.where(known.upper > -known.lower, 1.0, self.network.leaks).to(self.dtype)
        return Multipliers(alpha, torch.zeros_like(alpha))

    def bound(self, rows: KeptRows, known: Known, chosen: Multipliers) -> Bounds:
        """Bound B rows on B domains, with these slopes and multipliers."""
        return Passes(self, rows, known).back(chosen)

    def ascend(self, rows: KeptRows, known: Known, chosen: Multipliers, steps: int) -> Multipliers:
        """Take steps of Adam; return the best that was met, domain by domain, which is never worse than the start."""
        if not known.free.shape[1]:  # nothing is left to choose
            return chosen
        passes, free = Passes(self, rows, known), known.free
        now = Multipliers(*(value.to(self.dtype) for value in chosen))
        best, most = now, torch.full_like(now.alpha[:, 0], -torch.inf)
        adam = _Adam(now.alpha)
        size = torch.ones_like(most)[:, None]
        for step in range(steps + 1):
            found = passes.back(now)
            gained = (found.values > most)[:, None]
            best = Multipliers(*(torch.where(gained, new, old) for new, old in zip(now, best, strict=True)))
            most = torch.maximum(most, found.values)
            if step == steps or bool((most > 0).all()):
                break
            if step == 0:
                size = found.coefficients.abs().sum(1, keepdim=True) / free.sum(1, keepdim=True).clamp(min=1)
            z, _ = passes.forward(found)
            by_alpha = torch.where(free, found.coefficients.clamp(min=0) * z, 0.0)
            moves = adam.moves(by_alpha, -passes.signs * z * size)
            alpha, beta = now.alpha + RATE * FADING**step * moves[0], now.beta + RATE * FADING**step * size * moves[1]
            now = Multipliers(
                torch.clamp(alpha, self.network.leaks, torch.ones_like(self.network.leaks)), beta.clamp(min=0)
            )
        return best


class Passes:
    """Passes back and forward for the same rows and domains, with what does not change computed once."""

    def __init__(self, bounding: Bounding, rows: KeptRows, known: Known) -> None:
        self.network, self.ball, self.rows = bounding.network, bounding.ball, rows.to(bounding.dtype)
        lower, upper = known.lower.to(bounding.dtype), known.upper.to(bounding.dtype)
        self.free, leaks = known.free, self.network.leaks
        width = torch.where(self.free, upper - lower, 1.0)
        self.fixed = torch.where(lower >= 0, torch.ones_like(leaks), leaks)  # where the side is known
        self.above = torch.where(self.free, (upper - leaks * lower) / width, self.fixed)
        self.offset = torch.where(self.free, upper - self.above * upper, 0.0)
        self.signs = known.signs.to(bounding.dtype)

    def back(self, chosen: Multipliers) -> Bounds:
        neurons, layers = self.network.neurons, self.network.layers
        below = torch.where(self.free, chosen.alpha.to(self.fixed), self.fixed)
        pull = self.signs * chosen.beta.to(self.fixed)
        a, lines, entering = self.rows.by_neuron.clone(), torch.empty_like(pull), torch.empty_like(pull)
        for layer in reversed(layers):
            here = a[:, layer]
            line = torch.where(here > 0, below[:, layer], self.above[:, layer])
            e = here * line - pull[:, layer]
            a[:, : layer.start] += e @ neurons.by_neuron[layer, : layer.start]
            lines[:, layer], entering[:, layer] = line, e
        slopes = self.rows.by_input + entering @ neurons.by_input
        constant = self.rows.constant - self.rows.noise + entering @ neurons.constant - entering.abs() @ neurons.noise
        least, points = self.ball.least(slopes)
        values = constant + (a.clamp(max=0) * self.offset).sum(1) + least
        return Bounds(values, points, a, slopes, lines, entering)

    def forward(self, found: Bounds) -> tuple[Tensor, Tensor]:
        """Find what the lines make of the points where bounds are least: z and h, (B, N) each."""
        neurons = self.network.neurons
        z = found.points @ neurons.by_input.T + neurons.constant - found.entering.sign() * neurons.noise
        offset = torch.where(found.coefficients > 0, 0.0, self.offset)
        h = torch.empty_like(z)
        for layer in self.network.layers:
            z[:, layer] += h[:, : layer.start] @ neurons.by_neuron[layer, : layer.start].T
            h[:, layer] = found.lines[:, layer] * z[:, layer] + offset[:, layer]
        return z, h


class _Adam:
    """Adam's steps by two groups of numbers, (B, N) each, which share one scale in each row."""

    def __init__(self, like: Tensor) -> None:
        self.means = [torch.zeros_like(like), torch.zeros_like(like)]
        self.squares = [torch.zeros_like(like), torch.zeros_like(like)]
        self.step = 0

    def moves(self, *gradients: Tensor) -> list[Tensor]:
        self.step += 1
        first, second = 1 - BETA_1**self.step, 1 - BETA_2**self.step
        floor = FLOOR * torch.maximum(*(each.abs().amax(1, keepdim=True) for each in gradients)) + TINY
        for mean, square, gradient in zip(self.means, self.squares, gradients, strict=True):
            mean.lerp_(gradient, 1 - BETA_1)
            square.lerp_(gradient.square(), 1 - BETA_2)
        return [(m / first) / ((s / second).sqrt() + floor) for m, s in zip(self.means, self.squares, strict=True)]
