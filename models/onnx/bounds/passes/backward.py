"""Linear lower bounds of objectives, carried from a value of the graph back to the rows."""

from collections.abc import Mapping

import torch
from torch import Tensor

from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.operators.operator import Affine
from models.onnx.bounds.passes.plan import BoundPlan
from models.onnx.bounds.relaxations.relaxed import Relaxed


def propagate_backward(
    plan: BoundPlan,
    name: str,
    slopes: Slopes,
    rows: Tensor,
    relaxed: Mapping[str, Relaxed],
    disturbances: Mapping[str, Tensor],
    added: Mapping[str, Tensor] | None = None,
) -> tuple[Slopes | None, Tensor]:
    """Find a and c (B,) with slopes.value >= a.x + c on the regions of `rows` (B,); a is None where it is 0.

    Rounding takes its worst: |slopes|.disturbance of every step on the way.

    `added`: slopes (B, *shape) by values on the way, which the bound is to hold with: slopes.value + sum of
    added.value >= a.x + c. Where a constraint says that added.value <= 0, slopes.value alone is no less
    (Wang et al. 2021, beta-CROWN, arXiv:2103.06624).
    """
    pending = {name: slopes}
    for value, more in (added or {}).items():
        _add(pending, value, Slopes(more, plan.shapes[value]))
    constant = slopes.numbers.new_zeros(len(rows))
    for step in plan.back_from(name):
        here = pending.pop(step.name, None)
        if here is None:
            continue
        if step.name in disturbances:
            constant = constant - _leaning(here, rows, disturbances[step.name])
        if isinstance(step.operator, Affine):
            if step.operator.bias is not None:
                constant = constant + _sum(here.numbers * here.of(step.operator.bias))
            parts = step.operator.adjoint(here)
        else:
            parts, offset = relaxed[step.name].backward(here, rows)
            constant = constant + offset
        for source, part in zip(step.sources, parts, strict=bool(parts)):  # none of a constant bound
            _add(pending, source, part)
    return pending.get(plan.input), constant


def _add(pending: dict[str, Slopes], name: str, part: Slopes) -> None:
    pending[name] = pending[name].plus(part) if name in pending else part


def _leaning(slopes: Slopes, rows: Tensor, disturbance: Tensor) -> Tensor:
    found = [_sum(part.numbers.abs() * part.of(disturbance, some)) for part, some in slopes.parts(rows)]
    return torch.cat(found)


def _sum(products: Tensor) -> Tensor:
    return flat(products).sum(1)
