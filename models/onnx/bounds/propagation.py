"""From the rows to the scores: intervals of every value, and a relaxation of every curve on its way."""

from collections.abc import Callable

import torch
from torch import Tensor

from algorithms.mathematics.norms import Norm
from algorithms.seam.questions.margins import Relaxation
from models.onnx.bounds.lines import Levels
from models.onnx.bounds.operators import Affine, Curve
from models.onnx.bounds.plan import Step
from models.onnx.bounds.regions import Interval, Regions
from models.onnx.bounds.rounding import disturbance

Reach = Callable[[str], Tensor]
"""How far a value that is affine in the rows moves in a ball of radius 1, (1, *shape): its slopes' dual norms."""


def propagate(regions: Regions, relaxation: Relaxation, reach: Reach) -> None:
    """Fill `regions`."""
    balls, entry = regions.balls, regions.plan.input
    regions.intervals[entry] = balls.hull()
    straight = {entry: (balls.x, torch.zeros_like(balls.x))}
    for step in regions.plan.steps:
        if isinstance(step.operator, Affine):
            _pass_affine(regions, step, step.operator)
            if step.name in regions.plan.straight:
                straight[step.name] = _move_center(regions, step, step.operator, straight)
        else:
            source = step.sources[0]
            if source in straight and balls.norm is not Norm.LINF:
                _cut_to_ball(regions, source, *straight[source], reach(source))
            _pass_curve(regions, step, step.operator, relaxation)


def _pass_affine(regions: Regions, step: Step, operator: Affine) -> None:
    sources = [regions.intervals[name] for name in step.sources]
    center = operator.apply(*((lower + upper) / 2 for lower, upper in sources)) + operator.offset()
    spread = operator.magnitude(*((upper - lower) / 2 for lower, upper in sources))
    if regions.rounds and operator.terms:
        largest = operator.magnitude(*(torch.maximum(lower.abs(), upper.abs()) for lower, upper in sources))
        regions.disturbances[step.name] = disturbance(largest + operator.offset_size(), operator.terms)
        spread = spread + regions.disturbances[step.name]
    regions.intervals[step.name] = center - spread, center + spread


def _move_center(regions: Regions, step: Step, operator: Affine, straight: dict[str, Interval]) -> Interval:
    """(value at the row itself, how far rounding may have carried it) of a value that is affine in the rows."""
    centers, noises = zip(*(straight[name] for name in step.sources), strict=True)
    noise = operator.magnitude(*noises) + regions.disturbances.get(step.name, 0.0)
    return operator.apply(*centers) + operator.offset(), noise


def _cut_to_ball(regions: Regions, name: str, center: Tensor, noise: Tensor, reach: Tensor) -> None:
    """A first look at what the ball alone allows: most numbers need no backward pass after it."""
    radii = regions.balls.radii.reshape(-1, *[1] * (center.dim() - 1))
    lower, upper = regions.intervals[name]
    spread = radii * reach + noise
    regions.intervals[name] = torch.maximum(lower, center - spread), torch.minimum(upper, center + spread)


def _pass_curve(regions: Regions, step: Step, curve: Curve, relaxation: Relaxation) -> None:
    source = step.sources[0]
    lower, upper = regions.intervals[source]
    if relaxation == "crown":
        regions.tighten(source, curve.bends(lower, upper))
    elif source in regions.plan.straight:  # exactly: the ball within the box is less than its hull and less than itself
        cut = regions.balls.are_cut().reshape(-1, *[1] * (lower.dim() - 1))
        regions.tighten(source, curve.matters(lower, upper) & cut)
    lower, upper = regions.intervals[source]
    least, most = curve.value(lower), curve.value(upper)
    if relaxation == "crown":
        regions.lines[step.name] = curve.relax(lower, upper)
    regions.levels[step.name] = Levels(least, most)
    error = curve.error(lower, upper) if regions.rounds else 0.0
    if isinstance(error, Tensor) or error:
        regions.disturbances[step.name] = torch.zeros_like(least) + error
    regions.intervals[step.name] = least - error, most + error
