"""What is known of every value on a few regions: intervals, linear bounds, and how far rounding disturbs them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.passes.backward import propagate_backward
from models.onnx.bounds.passes.plan import BoundPlan
from models.onnx.bounds.relaxations.relaxed import Intervals, Relaxed
from models.onnx.bounds.rules.curves.rectifiers import Rectifier

Found = TypeVar("Found")


class Each(Protocol):
    """How passes are made, one for each bucket of positions (B,): what they find in the same order."""

    def __call__(self, make: Callable[[Tensor], Found], buckets: Iterable[Tensor], /) -> Iterable[Found]: ...


WORK = 2**31  # numbers a row's tightening may visit: some ten seconds at the worst


@dataclass
class Regions:
    """Regions are R of them and what is known there, which `bounds/propagation.py` fills in from the rows on."""

    plan: BoundPlan
    balls: Balls
    count: int  # of them that are asked about; the rest fills the group up
    bucket: int  # objectives a backward pass: always as many, so that none depends on its company
    rounds: bool  # the model computes in float32; else bounds are about real arithmetic
    each: Each = map
    intermediate_steps: int = 0  # of the search for better intervals of what CROWN leaves unstable
    given: Mapping[str, Intervals] = field(default_factory=dict)  # of what curves and products read: not looked for
    intervals: dict[str, Intervals] = field(default_factory=dict)
    disturbances: dict[str, Tensor] = field(default_factory=dict)  # step -> (R, *out)
    linear_bounds: dict[str, Relaxed] = field(default_factory=dict)  # of every step that is not affine
    constant_bounds: dict[str, Relaxed] = field(default_factory=dict)  # of the same: its interval
    refined: set[str] = field(default_factory=set)  # values whose intervals were searched
    tightened: dict[str, Tensor] = field(default_factory=dict)  # value -> (R, *shape) bool: nothing more is to be had
    spent: Tensor = field(init=False)  # (R,) of WORK

    def __post_init__(self) -> None:
        self.spent = torch.zeros_like(self.balls.radii)

    @property
    def device(self) -> torch.device:
        return self.balls.x.device

    @property
    def ascent_bucket(self) -> int:
        """Count the objectives of a search: fewer than of a pass, for all values on its way are held at once."""
        return max(2, min(self.bucket // 4, self.bucket * self.plan.widest // (2 * self.plan.total)))

    def least(self, name: str, slopes: Slopes, rows: Tensor, relaxed: Mapping[str, Relaxed]) -> Tensor:
        """Find lower bounds (B,) of slopes.value over the regions of `rows` (B,)."""
        below, constant = propagate_backward(self.plan, name, slopes, rows, relaxed, self.disturbances)
        return constant if below is None else constant + self.balls.least(below, rows)

    def least_gap(self, rows: Tensor, ours: Tensor, theirs: Tensor) -> Tensor:
        """Find lower bounds (B,) of f_ours - f_theirs, classes (B,): the better of linear and constant bounds."""
        scores, slopes = self.plan.output, self.gaps(ours, theirs)
        found = self.least(scores, slopes, rows, self.constant_bounds)
        return (
            torch.maximum(found, self.least(scores, slopes, rows, self.linear_bounds)) if self.linear_bounds else found
        )

    def gaps(self, ours: Tensor, theirs: Tensor) -> Slopes:
        """Make the objectives f_ours - f_theirs, classes (B,), of the scores."""
        shape = self.plan.shapes[self.plan.output]
        return Slopes.one_hot(ours, shape).plus(Slopes.one_hot(theirs, shape).times(-torch.ones_like(ours)))

    def tighten(self, name: str, wanted: Tensor) -> None:
        """Bound the wanted numbers (R, *shape) of a value by backward passes, and keep what is tighter.

        Where that would be more than is left of a row's WORK, its intervals stay as they are, which is sound too.
        """
        if name in self.tightened:  # for another step that reads the same value
            wanted = wanted & ~self.tightened[name]
        wanted = self.afforded(name, wanted)
        self.tightened[name] = self.tightened.get(name, False) | wanted
        lower, upper = self.intervals[name]
        found = torch.stack([flat(lower), -flat(upper)])  # (2, R, numbers): bounds of y and of -y
        sides, rows, positions = listed(wanted[: self.count])
        if (repeated := self.repeated(name)) is not None:
            news = ~repeated[sides, rows, positions]
            sides, rows, positions = sides[news], rows[news], positions[news]

        def bounds(part: Tensor) -> Tensor:
            slopes = Slopes.one_hot(positions[part], self.plan.shapes[name]).times(1.0 - 2.0 * sides[part])
            return self.least(name, slopes, rows[part], self.linear_bounds)

        parts = list(buckets(len(rows), self.bucket, wanted.device))
        for part, least in zip(parts, self.each(bounds, parts), strict=True):
            at = (sides[part], rows[part], positions[part])
            found[at] = torch.maximum(found[at], least)  # NaN stays, and ends as no bound at all
        lower, upper = found[0].reshape(lower.shape), -found[1].reshape(upper.shape)
        self.intervals[name] = lower, torch.maximum(lower, upper)  # they may cross by a rounding of float64

    def repeated(self, name: str) -> Tensor | None:
        """Tell where a pass from a Relu's output could only find again what one from its input has: (2, R, numbers).

        From below its line is y = x or y = 0, both of which its interval knows; from above where the sign is known.
        None: `name` is no Relu's output.
        """
        step = next((step for step in self.plan.steps if step.name == name), None)
        if step is None or not isinstance(step.operator, Rectifier) or step.operator.leak:
            return None
        (source,) = step.sources
        (lower, upper), (least, most) = self.intervals[source], self.intervals[name]
        seen = self.tightened.get(source, torch.zeros_like(lower, dtype=torch.bool))
        seen = seen & (least >= lower.clamp(min=0)) & (most <= upper.clamp(min=0))  # nothing was found of it since
        return torch.stack([flat(seen), flat(seen & ((lower >= 0) | (upper <= 0)))])

    def afforded(self, name: str, wanted: Tensor, passes: int = 1) -> Tensor:
        """Keep what is wanted (R, *shape) of the rows that can pay for so many passes back from it, and charge them."""
        price = 2.0 * passes * flat(wanted).sum(1) * self.plan.work(name)
        can = self.spent + price <= WORK
        self.spent = self.spent + torch.where(can, price, 0.0)
        return wanted & can.reshape(-1, *[1] * (wanted.dim() - 1))


def listed(wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """List two objectives for every wanted number (R, *shape): their sides, rows and positions."""
    rows, positions = flat(wanted).nonzero(as_tuple=True)
    sides = torch.zeros_like(rows)
    return torch.cat([sides, sides + 1]), rows.repeat(2), positions.repeat(2)


def buckets(count: int, size: int, device: torch.device | str) -> Iterator[Tensor]:
    """Yield positions 0..count - 1 in parts of exactly `size`, the last filled up with its own last position."""
    for start in range(0, count, size):
        yield torch.arange(start, start + size, device=device).clamp(max=count - 1)
