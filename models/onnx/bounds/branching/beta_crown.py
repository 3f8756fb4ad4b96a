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

from copy import copy
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor

from models.onnx.bounds.branching.adam import ScaledAdam
from models.onnx.bounds.branching.ball import CutBall
from models.onnx.bounds.branching.reduced import KeptRows, Reduced

RATE, FADING = 0.25, 0.96  # of the first step, and what each step keeps of it: of a slope, or of a coefficient's size
WORTHWHILE = 0.8  # of the domains: where fewer are left, only those go on


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

    @classmethod
    def joined(cls, parts: list["Known"]) -> "Known":
        return cls(*(torch.cat([getattr(part, name) for part in parts]) for name in ("lower", "upper", "signs")))

    def chosen(self, signs: Tensor) -> "Known":
        """Cut the intervals at zero where a side is chosen."""
        lower = torch.where(signs > 0, self.lower.clamp(min=0), self.lower)
        return Known(lower, torch.where(signs < 0, self.upper.clamp(max=0), self.upper), signs)


class Multipliers(NamedTuple):
    """What a bound may choose freely: slopes below, and multipliers of splits, (B, N) each."""

    alpha: Tensor
    beta: Tensor

    def of(self, which: Tensor) -> "Multipliers":
        return Multipliers(self.alpha[which], self.beta[which])

    def at(self, one: int) -> "Multipliers":
        """Keep those of one domain, apart from the others': (N,) each."""
        return Multipliers(self.alpha[one].clone(), self.beta[one].clone())

    def of_each(self, count: int) -> "Multipliers":
        """Take those of one domain (1, N) for so many rows."""
        return Multipliers(self.alpha.expand(count, -1), self.beta.expand(count, -1))


@dataclass(frozen=True)
class Bounds:
    """B lower bounds, and how they came about."""

    values: Tensor  # (B,)
    points: Tensor  # (B, d) where the linear bounds are least
    coefficients: Tensor  # (B, N) a, of every neuron's answer
    input_slopes: Tensor  # (B, d)
    lines: Tensor  # (B, N) the line that was taken for each neuron
    entering: Tensor  # (B, N) e

    def of(self, which: Tensor) -> "Bounds":
        return Bounds(*(getattr(self, each.name)[which] for each in fields(self)))


class Bounding:
    """Bounding is done on one reduced network and ball, in one type of number."""

    def __init__(self, network: Reduced, ball: CutBall, dtype: torch.dtype) -> None:
        self.network, self.ball, self.dtype = network.to(dtype), ball.to(dtype), dtype

    def over(self, ball: CutBall) -> "Bounding":
        """Bound over a ball within this one."""
        return Bounding(self.network, ball, self.dtype)

    def adaptive(self, known: Known) -> Multipliers:
        """Begin as CROWN does: the slope below that wastes the smaller area, and no multiplier."""
        alpha = torch.where(known.upper > -known.lower, 1.0, self.network.leaks).to(self.dtype)
        return Multipliers(alpha, torch.zeros_like(alpha))

    def bound(self, rows: KeptRows, known: Known, chosen: Multipliers) -> Bounds:
        """Bound B rows on B domains, with these slopes and multipliers."""
        return Passes(self, rows, known).back(chosen)

    def ascend(self, rows: KeptRows, known: Known, chosen: Multipliers, steps: int) -> tuple[Multipliers, Tensor]:
        """Take steps of Adam; return the best that was met, domain by domain, and its bounds in this type of number.

        It is never worse than the start. A domain whose bound is above zero takes no more steps.
        """
        if not known.free.shape[1]:  # nothing is left to choose
            return chosen, self.bound(rows, known, chosen).values
        passes, now = Passes(self, rows, known), Multipliers(*(value.to(self.dtype) for value in chosen))
        best, most = Multipliers(*(value.clone() for value in now)), torch.full_like(now.alpha[:, 0], -torch.inf)
        left, adam = torch.arange(len(most), device=most.device), ScaledAdam(now.alpha, 1 + passes.are_split)
        size = torch.ones_like(most)[:, None]
        for step in range(steps + 1):
            found = passes.back(now)
            gained = found.values > most[left]
            for kept, new in zip(best, now, strict=True):
                kept[left[gained]] = new[gained]
            most[left] = torch.maximum(most[left], found.values)
            doubtful = (most[left] <= 0).nonzero()[:, 0]
            if step == steps or not len(doubtful):
                break
            if step == 0:
                free = passes.free.sum(1, keepdim=True).clamp(min=1)
                size = found.coefficients.abs().sum(1, keepdim=True) / free
            if len(doubtful) < WORTHWHILE * len(left):
                left, size, adam = left[doubtful], size[doubtful], adam.of(doubtful)
                passes, found, now = passes.of(doubtful), found.of(doubtful), now.of(doubtful)
            now = self._stepped(now, passes, found, adam, RATE * FADING**step, size)
        return best, most

    def _stepped(
        self, now: Multipliers, passes: "Passes", found: Bounds, adam: "ScaledAdam", rate: float, size: Tensor
    ) -> Multipliers:
        """Take one step: slopes by shares, multipliers by the `size` (B, 1) of a coefficient."""
        z, _ = passes.forward(found)
        gradients = [torch.where(passes.free, found.coefficients.clamp(min=0) * z, 0.0)]
        if passes.are_split:
            gradients.append(-passes.signs * z * size)
        moves, leaks = adam.moves(gradients), self.network.leaks
        alpha = torch.clamp(now.alpha + rate * moves[0], leaks, torch.ones_like(leaks))
        beta = (now.beta + rate * size * moves[1]).clamp(min=0) if passes.are_split else now.beta
        return Multipliers(alpha, beta)


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
        self.are_split = bool(self.signs.any())

    def of(self, which: Tensor) -> "Passes":
        """Make passes for some of the rows and domains. A domain that all rows share stays."""
        some = copy(self)
        some.rows = self.rows[which]
        for name in ("free", "fixed", "above", "offset", "signs"):
            values = getattr(self, name)
            setattr(some, name, values[which] if len(values) > 1 else values)
        return some

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
