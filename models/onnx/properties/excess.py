"""A graph that goes on to the excesses of a case: one number a part, above zero where no output of the part is wanted.

A part wants all of its rows a.y - b <= 0, so it is refuted where the largest is above zero. That maximum is written as
rectifiers do: max(u, v) = u + relu(v - u), pair by pair. So whatever bounds and splits a graph decides about properties
too, and a slope of such a rectifier weighs two rows against each other. These steps are computed by nobody in float32:
they are exact, as the text is.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from models.onnx.bounds.graph.node import BETWEEN
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.operators.operator import Affine, GraphStep
from models.onnx.bounds.passes.plan import BoundPlan
from models.onnx.bounds.rules.curves.rectifiers import Rectifier
from models.properties.conditions import PropertyCase


def with_excesses(plan: BoundPlan, case: PropertyCase) -> BoundPlan:
    """Add the steps from the output (outputs) to the excesses of all parts, (parts)."""
    matrix = torch.from_numpy(np.concatenate([part.matrix for part in case.parts]))
    limits = torch.from_numpy(np.concatenate([part.limits for part in case.parts]))
    writer = _Writer(plan)
    rows = writer.affine("rows", {plan.output: matrix}, -limits)
    owners = [at for at, part in enumerate(case.parts) for _ in part.limits]
    level = 0
    while len(set(owners)) < len(owners):
        rows, owners = writer.larger_of_pairs(rows, owners, level)
        level += 1
    return writer.plan


class _Writer:
    """Appends steps to a plan, each of which makes its new output."""

    def __init__(self, plan: BoundPlan) -> None:
        self.plan, self._end = plan, plan.output

    def affine(self, word: str, sources: dict[str, Tensor], bias: Tensor | None = None) -> str:
        """Append sum matrix source + bias, (numbers), with a matrix (numbers, numbers of the source) for each."""
        shapes = [self.plan.shapes[name] for name in sources]
        made = dense(list(sources.values()), shapes, bias)
        return self._append(word, tuple(sources), made, len(next(iter(sources.values()))))

    def larger_of_pairs(self, rows: str, owners: list[int], level: int) -> tuple[str, list[int]]:
        """Append what takes neighbors of one owner (u, v) to their larger, u + relu(v - u); a row alone stays."""
        firsts, seconds, at = list[int](), list[int | None](), 0
        while at < len(owners):
            is_pair = at + 1 < len(owners) and owners[at + 1] == owners[at]
            firsts.append(at)
            seconds.append(at + 1 if is_pair else None)
            at += 2 if is_pair else 1
        first = torch.eye(len(owners), dtype=torch.float64)[firsts]
        pairs = [place for place, second in enumerate(seconds) if second is not None]
        gaps = torch.eye(len(owners), dtype=torch.float64)[[s for s in seconds if s is not None]] - first[pairs]
        back = torch.zeros(len(firsts), len(pairs), dtype=torch.float64)
        back[pairs, range(len(pairs))] = 1.0
        gap = self.affine(f"gaps {level}", {rows: gaps})
        more = self._append(f"more {level}", (gap,), Rectifier(), len(pairs))
        return self.affine(f"larger {level}", {rows: first, more: back}), [owners[at] for at in firsts]

    def _append(self, word: str, sources: tuple[str, ...], operator: Affine | Rectifier, count: int) -> str:
        name, plan = f"{self._end}{BETWEEN}{word}", self.plan
        step = GraphStep(name, sources, operator, (count,))
        is_affine = isinstance(operator, Affine) and plan.affine.issuperset(sources)
        affine = plan.affine | {name} if is_affine else plan.affine
        shapes = plan.shapes | {name: (count,)}
        self.plan = replace(plan, steps=(*plan.steps, step), shapes=shapes, affine=affine, output=name)
        return name


def dense(matrices: list[Tensor], shapes: list[Shape], bias: Tensor | None) -> Affine:
    """Make y = sum matrix x + bias of values of these shapes, whose numbers are taken in their flat order."""

    def total(values: tuple[Tensor, ...], some: list[Tensor]) -> Tensor:
        return torch.stack([flat(x) @ matrix.T for x, matrix in zip(values, some, strict=True)]).sum(0)

    def adjoint(slopes: Slopes) -> tuple[Slopes, ...]:
        numbers = slopes.whole().numbers
        pulled = (numbers @ matrix for matrix in matrices)
        return tuple(Slopes(part.reshape(-1, *shape), shape) for part, shape in zip(pulled, shapes, strict=True))

    sizes = [matrix.abs() for matrix in matrices]
    return Affine(
        lambda *values: total(values, matrices),
        lambda *values: total(values, sizes),
        adjoint,
        None if bias is None else bias[None],
    )
