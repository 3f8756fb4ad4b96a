"""How the program of one sample is written: from the input to the margins, step by step of the plan."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from algorithms.mathematics.arrays import Numbers
from models.onnx.bounds.operators.operator import Affine, GraphStep
from models.onnx.bounds.passes.plan import BoundPlan
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.programs.curves import STRAIGHT, bend
from models.onnx.bounds.programs.expressions import Expression, Matrix, matrices
from models.onnx.bounds.programs.norms import objective
from models.onnx.bounds.programs.program import Program, ProgramDraft


@dataclass
class Writer:
    """A writer knows a plan, and keeps the matrices of its steps once they were written out."""

    plan: BoundPlan
    slack: float = 0.0  # what a margin of the scores must have for the label that is served
    _matrices: dict[str, list[Matrix]] = field(default_factory=dict)

    def is_finite(self, regions: Regions) -> bool:
        """Tell whether every value of the first region is known to stay within float32."""
        return all(
            bool((lower[0].isfinite() & upper[0].isfinite()).all()) for lower, upper in regions.intervals.values()
        )

    def count_unsettled(self, regions: Regions) -> int:
        """Count the inputs of curves that may be on either side of a bend in the first region."""
        count = 0
        for step in self.plan.steps:
            if isinstance(step.operator, STRAIGHT):
                count += int(step.operator.unstable(*regions.intervals[step.sources[0]])[0].sum())
        return count

    def write(self, regions: Regions, label: int, target: int | None) -> Program:
        """Write the program of the first of some regions, all of whose curves are straight.

        A target has to win over all other classes; without one, any class over the label.
        """
        draft, balls = ProgramDraft(), regions.balls
        upwards, downwards = objective(draft, balls)
        row = draft.of(upwards).shifted(_first(balls.x))
        known = {self.plan.input: row if downwards is None else row.plus(draft.of(downwards).times(-1.0))}
        for step in self.plan.steps:
            known[step.name] = self._pass(draft, regions, step, known)
        scores = known[self.plan.output]
        everyone = np.arange(len(scores.constant))
        others = np.delete(everyone, label if target is None else target)
        losers, winners, parts = np.full(len(others), label), others, tuple(np.arange(len(others))[:, None])
        if target is not None:
            losers, winners, parts = others, np.full(len(others), target), (np.arange(len(others)),)
        margins = scores.at(losers).plus(scores.at(winners).times(-1.0)).shifted(0.0, error=self.slack)
        return draft.finished(margins, parts, (upwards, downwards), balls)

    def _pass(self, draft: ProgramDraft, regions: Regions, step: GraphStep, known: dict[str, Expression]) -> Expression:
        error = _first(regions.disturbances[step.name]) if step.name in regions.disturbances else 0.0
        if isinstance(step.operator, Affine):
            return self._combined(step, step.operator, known, regions.device).shifted(0.0, error=error)
        assert isinstance(step.operator, STRAIGHT)
        (source,) = step.sources
        lower, upper = (_first(end) for end in regions.intervals[source])
        return bend(draft, step.operator, known[source], lower, upper).shifted(0.0, error=error)

    def _combined(
        self, step: GraphStep, operator: Affine, known: dict[str, Expression], device: torch.device
    ) -> Expression:
        if step.name not in self._matrices:
            shapes = [self.plan.shapes[name] for name in step.sources]
            self._matrices[step.name] = matrices(operator, step.shape, shapes, device)
        parts = [known[name].through(m) for name, m in zip(step.sources, self._matrices[step.name], strict=True)]
        made = parts[0]
        for part in parts[1:]:
            made = made.plus(part)
        return made if operator.bias is None else made.shifted(_first(operator.bias))


def _first(values: Tensor) -> Numbers:
    """Of the first row, flat."""
    return np.asarray(values[0].flatten().cpu().numpy(), np.float64)
