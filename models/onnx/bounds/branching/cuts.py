"""Cuts of a domain: between which ends the numbers lie there that curves and products read, where these were split."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.operators.operator import Affine
from models.onnx.bounds.passes.plan import BoundPlan


@dataclass(frozen=True)
class Cuts:
    """Cuts are k numbers with two ends each, infinite where none was set, and what bounded the domain with them."""

    places: Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.int64))  # (k,)
    ends: Tensor = field(default_factory=lambda: torch.zeros(0, 2, dtype=torch.float64))  # (k, 2)
    multipliers: Tensor = field(default_factory=lambda: torch.zeros(0, 2, dtype=torch.float64))  # (k, 2), of the ends

    def split(self, place: int, point: float) -> tuple["Cuts", "Cuts"]:
        """Cut once more at a point: the parts below and above it. The new ends have no multiplier yet."""
        cuts = self
        if place not in self.places:
            ends = torch.tensor([[-torch.inf, torch.inf]], dtype=torch.float64)
            cuts = Cuts(
                torch.cat([self.places, torch.tensor([place])]),
                torch.cat([self.ends, ends]),
                torch.cat([self.multipliers, torch.zeros_like(ends)]),
            )
        below, above = cuts.ends.clone(), cuts.ends.clone()
        below[cuts.places == place, 1] = point
        above[cuts.places == place, 0] = point
        return replace(cuts, ends=below), replace(cuts, ends=above)


@dataclass(frozen=True)
class Splittable:
    """The splittable numbers of a graph are N, counted through all values that curves and products read."""

    shapes: Mapping[str, Shape]
    starts: Mapping[str, int]
    count: int

    @classmethod
    def of(cls, plan: BoundPlan) -> "Splittable":
        read = dict.fromkeys(s for step in plan.steps if not isinstance(step.operator, Affine) for s in step.sources)
        shapes, starts, count = {name: plan.shapes[name] for name in read}, dict[str, int](), 0
        for name, shape in shapes.items():
            starts[name] = count
            count += math.prod(shape)
        return cls(shapes, starts, count)

    def written_out(self, cuts: Sequence[Cuts]) -> tuple[Tensor, Tensor]:
        """Write out the ends of B domains and their multipliers, (B, 2, N): infinite and 0 where nothing is cut."""
        ends = torch.tensor([-torch.inf, torch.inf], dtype=torch.float64).reshape(1, 2, 1)
        ends = ends.repeat(len(cuts), 1, self.count)
        multipliers = torch.zeros_like(ends)
        for at, some in enumerate(cuts):
            ends[at][:, some.places] = some.ends.T
            multipliers[at][:, some.places] = some.multipliers.T
        return ends, multipliers

    def by_value(self, numbers: Tensor) -> dict[str, Tensor]:
        """Take numbers (..., N) apart into those of each value, (..., *shape)."""
        return {
            name: numbers[..., start : start + math.prod(self.shapes[name])].reshape(
                *numbers.shape[:-1], *self.shapes[name]
            )
            for name, start in self.starts.items()
        }

    def joined(self, values: Mapping[str, Tensor], none: Tensor) -> Tensor:
        """Put what is said of values (..., *shape) into lines (..., N): those of `none` where nothing is said."""
        found = none.to(torch.float64, copy=True)
        for name, start in self.starts.items():
            if name in values:
                size = math.prod(self.shapes[name])
                found[..., start : start + size] = values[name].reshape(*found.shape[:-1], size)
        return found
