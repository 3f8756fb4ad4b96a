"""A network as one region sees it: rectifiers that are on one side there are lines, and what is left is a few neurons.

    z_i = sum_j M_ij h_j + P_i . x + c_i +- noise_i,    h_j = rectifier(z_j),    j in layers before that of i

Only neurons that may be on either side in the region are kept, N of them, in layers; everything between them is affine
there and is multiplied out, whatever its shape: convolutions, ways around a block, stable neurons. Margins are rows of
the same form. What float32 may do on the way is gathered in the noise of each neuron that it reaches.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.operators.operator import Affine
from models.onnx.bounds.passes.plan import BoundPlan
from models.onnx.bounds.passes.regions import buckets
from models.onnx.bounds.relaxations.relaxed import Intervals
from models.onnx.bounds.rules.curves.rectifiers import Rectifier

HELD = 2**25  # numbers of the matrices at the most
BUCKET = 256  # objectives of a backward pass


@dataclass(frozen=True)
class KeptRows:
    """Kept rows are R linear functions of the kept neurons' answers and of the input, with a constant and its noise."""

    by_neuron: Tensor  # (R, N)
    by_input: Tensor  # (R, d)
    constant: Tensor  # (R,)
    noise: Tensor  # (R,)

    def to(self, dtype: torch.dtype | str) -> "KeptRows":
        """Make the same in another type, or on another device."""
        return KeptRows(*(value.to(dtype) for value in self.parts))

    def __getitem__(self, which: Tensor | slice) -> "KeptRows":
        return KeptRows(self.by_neuron[which], self.by_input[which], self.constant[which], self.noise[which])

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.by_neuron, self.by_input, self.constant, self.noise

    @property
    def negative(self) -> "KeptRows":
        return KeptRows(-self.by_neuron, -self.by_input, -self.constant, self.noise)

    def repeated(self, count: int) -> "KeptRows":
        """Take all rows for each of so many boxes: (count, R, ...)."""
        return KeptRows(*(part.expand(count, *part.shape) for part in self.parts))

    def alone(self) -> "KeptRows":
        """Take one row for each box: (R, 1, ...)."""
        return KeptRows(*(part[:, None] for part in self.parts))

    def times(self, factors: Tensor) -> "KeptRows":
        """Multiply each row by its own factor (R,)."""
        column = factors[:, None]
        return KeptRows(
            self.by_neuron * column, self.by_input * column, self.constant * factors, self.noise * factors.abs()
        )


@dataclass(frozen=True)
class Reduced:
    """A reduced network is N neurons in layers, and the margins behind them. All in float64, unless cast."""

    neurons: KeptRows  # N of them: row i is z_i
    margins: KeptRows
    leaks: Tensor  # (N,) slopes below zero
    ends: tuple[int, ...]  # where layers end: the first is 0..ends[0]
    lower: Tensor  # (N,) of z
    upper: Tensor  # (N,)

    @property
    def layers(self) -> list[slice]:
        return [slice(start, end) for start, end in pairwise((0, *self.ends))]

    @property
    def held(self) -> int:
        """Count the bytes of the matrices."""
        return sum(part.nbytes for rows in (self.neurons, self.margins) for part in rows.parts)

    @property
    def is_finite(self) -> bool:
        """Tell whether no value of the graph may overflow."""
        sides = (self.lower, self.upper)
        rows = (value for rows in (self.neurons, self.margins) for value in (rows.by_input, rows.constant, rows.noise))
        return all(bool(value.isfinite().all()) for value in (*sides, *rows))

    def less(self, slack: float) -> "Reduced":
        """Take the same off every margin."""
        return replace(self, margins=replace(self.margins, constant=self.margins.constant - slack))

    def to(self, dtype: torch.dtype | str) -> "Reduced":
        """Converts to a type, or moves to a device."""
        neurons, margins = self.neurons.to(dtype), self.margins.to(dtype)
        leaks, lower, upper = (value.to(dtype) for value in (self.leaks, self.lower, self.upper))
        return Reduced(neurons, margins, leaks, self.ends, lower, upper)


def is_reducible(plan: BoundPlan) -> bool:
    """Tell whether all curves of a graph are rectifiers."""
    return all(isinstance(step.operator, Affine | Rectifier) for step in plan.steps)


def reduced(
    plan: BoundPlan,
    intervals: Mapping[str, Intervals],
    disturbances: Mapping[str, Tensor],
    objectives: Tensor,
) -> Reduced | None:
    """Reduce a reducible graph to the neurons that may be on either side in the first of its regions.

    `intervals`, `disturbances`: what `propagate` found. `objectives` (m, scores): margins as sums of scores. None where
    the matrices would be too large.
    """
    curves = [step for step in plan.steps if isinstance(step.operator, Rectifier)]
    ends = {step.name: tuple(flat(end[:1])[0] for end in intervals[step.sources[0]]) for step in curves}
    free = {name: ((lower < 0) & (upper > 0)).nonzero()[:, 0] for name, (lower, upper) in ends.items()}
    count = sum(map(len, free.values()))
    if (count + len(objectives)) * (count + math.prod(plan.shapes[plan.input])) > HELD:
        return None
    walk = _Walk(plan, ends, free, disturbances, count)
    rows = [walk.rows_of(step.sources[0], free[step.name]) for step in curves if len(free[step.name])]
    leaks = [
        torch.full((len(free[step.name]),), step.operator.leak, dtype=torch.float64, device=objectives.device)
        for step in curves
        if isinstance(step.operator, Rectifier)
    ]
    none = objectives.new_zeros(0)  # where there is no curve at all
    lower, upper = (torch.cat([none, *(ends[step.name][side][free[step.name]] for step in curves)]) for side in (0, 1))
    sizes = torch.tensor([len(free[step.name]) for step in curves if len(free[step.name])])
    return Reduced(
        _joined(rows, count, walk.inputs, objectives),
        walk.rows_from(plan.output, objectives),
        torch.cat([none, *leaks]),
        tuple(sizes.cumsum(0).tolist()),
        lower,
        upper,
    )


class _Walk:
    """Walks back from values of the graph, through what is affine in the region, to kept neurons and to the input."""

    def __init__(
        self,
        plan: BoundPlan,
        ends: Mapping[str, tuple[Tensor, ...]],
        free: Mapping[str, Tensor],
        disturbances: Mapping[str, Tensor],
        count: int,
    ) -> None:
        self.plan, self.disturbances, self.count = plan, disturbances, count
        self.inputs = math.prod(plan.shapes[plan.input])
        self.free, self.lines, self.starts = free, dict[str, Tensor](), dict[str, int]()
        start = 0
        for step in plan.steps:
            if isinstance(step.operator, Rectifier):
                lower, upper = ends[step.name]
                line = torch.where(lower >= 0, 1.0, step.operator.leak).to(lower)
                self.lines[step.name] = torch.where((lower < 0) & (upper > 0), 0.0, line)
                self.starts[step.name] = start
                start += len(free[step.name])

    def rows_of(self, name: str, positions: Tensor) -> KeptRows:
        """Write out numbers of a value, by their positions."""
        shape = self.plan.shapes[name]
        parts = buckets(len(positions), BUCKET, positions.device)
        made = [self._back(name, Slopes.one_hot(positions[part], shape)) for part in parts]
        return _joined(made, self.count, self.inputs, made[0].constant)[slice(0, len(positions))]

    def rows_from(self, name: str, slopes: Tensor) -> KeptRows:
        """Write out sums (m, numbers) of the numbers of a value."""
        shape = self.plan.shapes[name]
        return self._back(name, Slopes(slopes.reshape(len(slopes), *shape), shape))

    def _back(self, name: str, slopes: Slopes) -> KeptRows:
        numbers = slopes.numbers
        by_neuron = numbers.new_zeros(len(numbers), self.count)
        by_input = numbers.new_zeros(len(numbers), self.inputs)
        constant, noise = numbers.new_zeros(len(numbers)), numbers.new_zeros(len(numbers))
        first = torch.zeros(len(numbers), dtype=torch.int64, device=numbers.device)
        pending = {name: slopes}
        for step in self.plan.back_from(name):
            here = pending.pop(step.name, None)
            if here is None:
                continue
            if step.name in self.disturbances:
                noise = noise + flat(here.numbers.abs() * here.of(self.disturbances[step.name], first)).sum(1)
            if isinstance(step.operator, Affine):
                if step.operator.bias is not None:
                    constant = constant + flat(here.numbers * here.of(step.operator.bias)).sum(1)
                parts = step.operator.adjoint(here)
            else:
                start, kept = self.starts[step.name], self.free[step.name]
                if len(kept):
                    by_neuron[:, start : start + len(kept)] = flat(here.whole().numbers)[:, kept]
                parts = (here.times(here.of(self.lines[step.name].reshape(1, *here.shape), first)),)
            for source, part in zip(step.sources, parts, strict=True):
                pending[source] = pending[source].plus(part) if source in pending else part
        if self.plan.input in pending:
            by_input = flat(pending[self.plan.input].whole().numbers)
        return KeptRows(by_neuron, by_input, constant, noise)


def _joined(rows: Sequence[KeptRows], count: int, inputs: int, like: Tensor) -> KeptRows:
    none = KeptRows(like.new_zeros(0, count), like.new_zeros(0, inputs), like.new_zeros(0), like.new_zeros(0))
    parts = [none, *rows]
    return KeptRows(
        *(torch.cat([getattr(part, name) for part in parts]) for name in ("by_neuron", "by_input", "constant", "noise"))
    )
