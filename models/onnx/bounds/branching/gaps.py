"""What each number that a curve reads costs a bound: the gap between the curve and its line where the bound is least.

A margin at the point where its linear bound is least is more than that bound by the sum of these gaps, each times the
slope with which the bound leans on the curve, and by what multipliers and rounding take. So the number that costs most
is worth splitting: where it is split, the children's lines touch the curve.
"""

from collections.abc import Mapping

from torch import Tensor

from models.onnx.bounds.operators.operator import Affine, Curve, GraphStep
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.relaxations.products import Product
from models.onnx.bounds.relaxations.relaxed import Intervals, LinearBounds


def costs(here: Regions, met: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Find what the numbers of each value cost B bounds on B regions, (B, *shape), by what curves and products read it.

    `met`: with which slopes (B, *shape) the bounds lean on each step. `values`: of the graph at the points (B, *shape).
    """
    found: dict[str, Tensor] = {}
    for step in here.plan.steps:
        lines = here.linear_bounds.get(step.name)
        if step.name not in met or not isinstance(lines, LinearBounds) or isinstance(step.operator, Affine):
            continue
        inside = [_within(values[source], here.intervals[source]) for source in step.sources]
        own = _value(step.operator, inside)
        below = own - lines.lower_offset - sum(a * z for a, z in zip(lines.lower_slopes, inside, strict=True))
        above = lines.upper_offset + sum(a * z for a, z in zip(lines.upper_slopes, inside, strict=True)) - own
        a = met[step.name]
        cost = (a.clamp(min=0) * below - a.clamp(max=0) * above).nan_to_num(0.0, 0.0, 0.0)
        for source, share in zip(step.sources, _shares(here, step, inside), strict=True):
            found[source] = found.get(source, 0.0) + cost * share
    return found


def _within(values: Tensor, interval: Intervals) -> Tensor:
    return values.maximum(interval[0]).minimum(interval[1])


def _value(operator: Curve | Product, inside: list[Tensor]) -> Tensor:
    if isinstance(operator, Product):
        return inside[0] * inside[1]
    return operator.interval(inside[0], inside[0])[0]


def _shares(here: Regions, step: GraphStep, inside: list[Tensor]) -> list[Tensor | float]:
    """Of a product, all is put down to the factor whose interval moves it more."""
    if len(step.sources) == 1:
        return [1.0]
    (a, b), (c, d) = (here.intervals[source] for source in step.sources)
    is_first = ((b - a) * inside[1].abs() >= (d - c) * inside[0].abs()).to(a)
    return [is_first, 1 - is_first]
