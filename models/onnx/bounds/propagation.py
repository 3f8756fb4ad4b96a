"""From the rows to the scores: intervals of every value, and a relaxation of every curve on its way."""

from collections.abc import Callable

import torch
from torch import Tensor

from algorithms.mathematics.norms import Norm
from algorithms.seam.questions.margins import Relaxation
from models.onnx.bounds.linear.rounding import disturbance
from models.onnx.bounds.operators.operator import Affine, Curve, GraphStep
from models.onnx.bounds.optimized.refinement import refine
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.relaxations.products import Product
from models.onnx.bounds.relaxations.relaxed import ConstantBounds, Intervals, Relaxed

DualNorms = Callable[[str], Tensor]
"""How far a value that is affine in the rows moves in a ball of radius 1, (1, *shape): its slopes' dual norms."""


def propagate(regions: Regions, relaxation: Relaxation, dual_norms: DualNorms) -> None:
    """Fill `regions` with intervals and bounds of every value, from the rows on."""
    balls, entry = regions.balls, regions.plan.input
    regions.intervals[entry] = balls.hull()
    centers = {entry: (balls.x, torch.zeros_like(balls.x))}
    for step in regions.plan.steps:
        if isinstance(step.operator, Affine):
            _pass_affine(regions, step, step.operator)
            if step.name in regions.plan.affine:
                centers[step.name] = _move_center(regions, step, step.operator, centers)
            continue
        for source in step.sources:
            if source in regions.given:
                _take_as_given(regions, source)
            elif source in centers and balls.norm is not Norm.LINF:
                _cut_to_ball(regions, source, *centers[source], dual_norms(source))
        if isinstance(step.operator, Product):
            _pass_product(regions, step, step.operator, relaxation)
        else:
            _pass_curve(regions, step, step.operator, relaxation)


def _pass_affine(regions: Regions, step: GraphStep, operator: Affine) -> None:
    sources = [regions.intervals[name] for name in step.sources]
    center = operator.apply(*((lower + upper) / 2 for lower, upper in sources)) + operator.offset()
    spread = operator.magnitude(*((upper - lower) / 2 for lower, upper in sources))
    if regions.rounds and operator.terms:
        sizes = operator.sizes or operator.magnitude
        largest = sizes(*(torch.maximum(lower.abs(), upper.abs()) for lower, upper in sources))
        regions.disturbances[step.name] = disturbance(largest + operator.offset_size(), operator.terms)
        spread = spread + regions.disturbances[step.name]
    regions.intervals[step.name] = center - spread, center + spread


def _move_center(regions: Regions, step: GraphStep, operator: Affine, centers: dict[str, Intervals]) -> Intervals:
    """(value at the row itself, how far rounding may have carried it) of a value that is affine in the rows."""
    values, noises = zip(*(centers[name] for name in step.sources), strict=True)
    noise = operator.magnitude(*noises) + regions.disturbances.get(step.name, 0.0)
    return operator.apply(*values) + operator.offset(), noise


def _cut_to_ball(regions: Regions, name: str, center: Tensor, noise: Tensor, dual_norms: Tensor) -> None:
    """A first look at what the ball alone allows: most numbers need no backward pass after it."""
    radii = regions.balls.radii.reshape(-1, *[1] * (center.dim() - 1))
    lower, upper = regions.intervals[name]
    spread = radii * dual_norms + noise
    regions.intervals[name] = torch.maximum(lower, center - spread), torch.minimum(upper, center + spread)


def _take_as_given(regions: Regions, name: str) -> None:
    """Cut an interval to what is given. Where nothing is left, no input of the region is there, and any bound holds."""
    (lower, upper), (least, most) = regions.intervals[name], regions.given[name]
    lower = torch.maximum(lower, least)
    regions.intervals[name] = lower, torch.maximum(lower, torch.minimum(upper, most))


def _pass_curve(regions: Regions, step: GraphStep, curve: Curve, relaxation: Relaxation) -> None:
    (source,) = step.sources
    bounds = regions.intervals[source]
    _tighten(regions, source, relaxation, unstable=curve.unstable(*bounds), sensitive=curve.sensitive(*bounds))
    if regions.intermediate_steps:
        refine(regions, source, curve.unstable(*regions.intervals[source]))
    lower, upper = regions.intervals[source]
    relaxed = curve.relax(lower, upper) if relaxation == "crown" else None
    _enclose(regions, step, curve.interval(lower, upper), curve.error(lower, upper), relaxed)


def _pass_product(regions: Regions, step: GraphStep, product: Product, relaxation: Relaxation) -> None:
    for source, unstable in zip(step.sources, product.unstable(*_inputs(regions, step)), strict=True):
        _tighten(regions, source, relaxation, unstable=unstable, sensitive=unstable)
    if regions.intermediate_steps:
        for source, unstable in zip(step.sources, product.unstable(*_inputs(regions, step)), strict=True):
            refine(regions, source, unstable)
    x, y = _inputs(regions, step)
    relaxed = product.relax(x, y) if relaxation == "crown" else None
    _enclose(regions, step, product.interval(x, y), product.error(x, y), relaxed)


def _inputs(regions: Regions, step: GraphStep) -> tuple[Intervals, Intervals]:
    first, second = step.sources
    return regions.intervals[first], regions.intervals[second]


def _tighten(regions: Regions, source: str, relaxation: Relaxation, *, unstable: Tensor, sensitive: Tensor) -> None:
    """By backward passes. Intervals take them of affine values alone, which they find exactly.

    There the ball within the box is less than its hull and less than itself.
    """
    if source in regions.given:
        return
    if relaxation == "crown":
        regions.tighten(source, unstable)
    elif source in regions.plan.affine:
        cut = regions.balls.are_cut().reshape(-1, *[1] * (sensitive.dim() - 1))
        regions.tighten(source, sensitive & cut)


def _enclose(
    regions: Regions, step: GraphStep, interval: Intervals, error: Tensor | float, relaxed: Relaxed | None
) -> None:
    """Keep what is known of the value that a step makes, in real arithmetic and with rounding."""
    least, most = interval
    if relaxed is not None:
        regions.linear_bounds[step.name] = relaxed
    regions.constant_bounds[step.name] = ConstantBounds(least, most)
    error = error if regions.rounds else 0.0
    if isinstance(error, Tensor) or error:
        regions.disturbances[step.name] = torch.zeros_like(least) + error
    regions.intervals[step.name] = least - error, most + error
