"""Lower bounds of many objectives over regions, with all that is free in them: what `ascent.py` climbs on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.optimized.ascent import Choice, ascend
from models.onnx.bounds.passes.backward import propagate_backward
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.relaxations.families import Free, Picked
from models.onnx.bounds.relaxations.relaxed import Relaxed


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
        shares = {step: picked.start for step, picked in self.free.items()}
        return Choice(shares, {value: torch.zeros_like(side) for value, side in self.sides.items()})

    @cached_property
    def free(self) -> Mapping[str, Picked]:
        """Find what the objectives meet on their way that leaves something free."""
        met: dict[str, Picked] = {}
        bounds = self.regions.linear_bounds.items()
        with torch.no_grad():
            self._propagate({step: _Meeting(step, bound, met) for step, bound in bounds if isinstance(bound, Free)}, {})
        return met

    def least(self, choice: Choice) -> Tensor:
        """Bound the objectives from below, (B,): sound for any choice, and differentiable in it."""
        laid = {step: self.free[step].at(shares) for step, shares in choice.shares.items()}
        added = {value: -side * choice.multipliers[value] for value, side in self.sides.items()}
        below, constant = self._propagate(laid, added)
        return constant if below is None else constant + self.regions.balls.least(below, self.rows)

    def _propagate(self, laid: Mapping[str, Relaxed], added: Mapping[str, Tensor]) -> tuple[Slopes | None, Tensor]:
        regions = self.regions
        relaxed = {**regions.linear_bounds, **laid}
        return propagate_backward(regions.plan, self.name, self.slopes, self.rows, relaxed, regions.disturbances, added)

    def best(self, start: Choice, steps: int) -> tuple[Tensor, Choice]:
        """Look for the best bounds (B,) from a choice on. Returns them and the choice they hold with."""
        return ascend(self.least, start, steps)


@dataclass(frozen=True)
class _Meeting:
    """A meeting of a free relaxation with the slopes of objectives, once: it is picked for them. Speaks `Relaxed`."""

    step: str
    bounds: Free
    met: dict[str, Picked]

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes, ...], Tensor]:
        self.met[self.step] = self.bounds.pick(slopes, rows)
        return self.bounds.backward(slopes, rows)
