"""Linear lower bounds of objectives, carried from a value of the graph back to the rows."""

from collections.abc import Mapping

from torch import Tensor

from models.onnx.bounds.operators import Affine, Relaxed
from models.onnx.bounds.plan import Plan
from models.onnx.bounds.slopes import Slopes, flat


def pull_back(
    plan: Plan,
    name: str,
    slopes: Slopes,
    rows: Tensor,
    relaxed: Mapping[str, Relaxed],
    disturbances: Mapping[str, Tensor],
) -> tuple[Slopes | None, Tensor]:
    """slopes.value >= a.x + c on the regions of `rows` (B,) -> a (None for 0), c (B,).

    Rounding takes its worst: |slopes|.disturbance of every step on the way.
    """
    pending = {name: slopes}
    constant = slopes.numbers.new_zeros(len(rows))
    for step in plan.back_from(name):
        here = pending.pop(step.name, None)
        if here is None:
            continue
        if step.name in disturbances:
            constant = constant - _sum(here.numbers.abs() * here.of(disturbances[step.name], rows))
        if isinstance(step.operator, Affine):
            if step.operator.bias is not None:
                constant = constant + _sum(here.numbers * here.of(step.operator.bias))
            for source, part in zip(step.sources, step.operator.adjoint(here), strict=True):
                _add(pending, source, part)
        else:
            below, offset = relaxed[step.name].pull(here, rows)
            constant = constant + offset
            if below is not None:
                _add(pending, step.sources[0], below)
    return pending.get(plan.input), constant


def _add(pending: dict[str, Slopes], name: str, part: Slopes) -> None:
    pending[name] = pending[name].plus(part) if name in pending else part


def _sum(products: Tensor) -> Tensor:
    return flat(products).sum(1)
