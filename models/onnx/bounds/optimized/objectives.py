"""Lower bounds of many objectives over regions, with all that is free in them: what `ascent.py` climbs on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.optimized.ascent import Choice, ascend
from models.onnx.bounds.passes.backward import propagate_backward
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.relaxations.families import Free, Picked
from models.onnx.bounds.relaxations.relaxed import Relaxed


@dataclass(frozen=True)
class Objectives:
    """Objectives are B linear functions of one value, each over one of the regions, or over a part of it.

    `within`: value -> the ends (B, 2, *shape) between which it lies all over the part; infinite where nothing is said.
    """

    regions: Regions  # with the bounds of every step before the value
    name: str
    slopes: Slopes  # by the value
    rows: Tensor  # (B,)
    within: Mapping[str, Tensor] = field(default_factory=dict)

    def start(self) -> Choice:
        """Begin where CROWN does, each constraint without a multiplier."""
        shares = {step: picked.start for step, picked in self.free.items()}
        return Choice(shares, {value: torch.zeros_like(ends) for value, ends in self.within.items()})

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
        below, constant = self.floor(choice)
        return constant if below is None else constant + self.regions.balls.least(below, self.rows)

    def floor(self, choice: Choice, met: dict[str, Tensor] | None = None) -> tuple[Slopes | None, Tensor]:
        """Find a and c (B,) of linear functions a.x + c of the rows below the objectives; a is None where it is 0.

        `met` takes in with which slopes (B, *shape) the objectives lean on each step that is not affine.
        """
        laid: dict[str, Relaxed] = {step: self.free[step].at(shares) for step, shares in choice.shares.items()}
        added, constant = dict[str, Tensor](), torch.zeros_like(self.regions.balls.radii[self.rows])
        for value, ends in self.within.items():
            said = torch.isfinite(ends)
            low, high = torch.where(said, choice.multipliers[value], 0.0).unbind(1)
            least, most = torch.where(said, ends, 0.0).unbind(1)
            added[value] = high - low  # low (least - value) + high (value - most) is never above 0
            constant = constant + flat(low * least - high * most).sum(1)
        if met is not None:
            laid = {step: _Met(step, bound, met) for step, bound in {**self.regions.linear_bounds, **laid}.items()}
        below, found = self._propagate(laid, added)
        return below, found + constant

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


@dataclass(frozen=True)
class _Met:
    """What stands in for a step, and takes down the slopes that it is met with. Speaks `Relaxed`."""

    step: str
    bound: Relaxed
    met: dict[str, Tensor]

    def backward(self, slopes: Slopes, rows: Tensor) -> tuple[tuple[Slopes, ...], Tensor]:
        self.met[self.step] = slopes.whole().numbers
        return self.bound.backward(slopes, rows)
