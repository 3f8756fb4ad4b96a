"""Lower bounds of many objectives over regions, with all that is free in them: what `ascent.py` climbs on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from models.onnx.bounds.ascent import Choice, ascend
from models.onnx.bounds.backward import propagate_backward
from models.onnx.bounds.families import Free
from models.onnx.bounds.regions import Regions
from models.onnx.bounds.slopes import Slopes


@dataclass(frozen=True)
class Objectives:
    """Objectives are B linear functions of one value, each over one of the regions, or over a part of it.

    `sides`: value -> (B, *shape) of -1, 0 and 1: over the part where side * value >= 0 for all numbers of it.
    """

    regions: Regions  # with the bounds of every step before the value
    name: str
    slopes: Slopes  # by the value
    rows: Tensor  # (B,)
    sides: Mapping[str, Tensor] = field(default_factory=dict)

    def start(self) -> Choice:
        """Begin where CROWN does, each constraint without a multiplier."""
        shares = {step: bounds.start[self.rows] for step, bounds in self.free.items()}
        return Choice(shares, {value: torch.zeros_like(side) for value, side in self.sides.items()})

    @cached_property
    def free(self) -> Mapping[str, Free]:
        """Find the steps before the value whose relaxations leave something free."""
        found: dict[str, Free] = {}
        for step in self.regions.plan.back_from(self.name):
            bounds = self.regions.linear_bounds.get(step.name)
            if isinstance(bounds, Free):
                found[step.name] = bounds
        return found

    def least(self, choice: Choice) -> Tensor:
        """Bound the objectives from below, (B,): sound for any choice, and differentiable in it."""
        regions = self.regions
        laid = {step: self.free[step].at(shares) for step, shares in choice.shares.items()}
        added = {value: -side * choice.multipliers[value] for value, side in self.sides.items()}
        below, constant = propagate_backward(
            regions.plan,
            self.name,
            self.slopes,
            self.rows,
            {**regions.linear_bounds, **laid},
            regions.disturbances,
            added,
        )
        return constant if below is None else constant + regions.balls.least(below, self.rows)

    def best(self, start: Choice, steps: int) -> tuple[Tensor, Choice]:
        """Look for the best bounds (B,) from a choice on. Returns them and the choice they hold with."""
        return ascend(self.least, start, steps)
