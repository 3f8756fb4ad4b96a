"""Passes over the graph itself for many domains of one region at once: within cuts, and at points."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.branching.descent import STEPS
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.propagation import propagate


def first(known: Regions, names: Iterable[str]) -> Regions:
    """Keep of the known regions the first, and of what is known there the intervals of some values."""
    balls = known.balls
    x, below, above, radii = (value[:1].clone() for value in (balls.x, balls.below, balls.above, balls.radii))
    made = Regions(known.plan, Balls(x, below, above, radii, balls.norm), 1, known.bucket, known.rounds)
    for name in names:
        lower, upper = known.intervals[name]
        made.intervals[name] = lower[:1].clone(), upper[:1].clone()
    return made


def within(known: Regions, ends: Mapping[str, Tensor]) -> Regions:
    """Bound every value anew on B parts of the known region.

    `ends`: value -> (B, 2, *shape), for all that curves and products read. What is known of the region holds on each.
    """
    count, balls = len(next(iter(ends.values()))), known.balls
    x, below, above = (value.repeat(count, *[1] * (value.dim() - 1)) for value in (balls.x, balls.below, balls.above))
    given = {}
    for name, (least, most) in ((name, both.unbind(1)) for name, both in ends.items()):
        lower, upper = known.intervals[name]
        given[name] = lower.maximum(least), upper.minimum(most)
    alike = Balls(x, below, above, balls.radii.repeat(count), balls.norm)
    made = Regions(known.plan, alike, count, known.bucket, known.rounds, given=given)
    propagate(made, "crown", _no_norms)
    return made


def at(known: Regions, points: Tensor) -> dict[str, Tensor]:
    """Compute every value of the graph at points (B, *shape), in real arithmetic: (B, *shape) each."""
    none = torch.zeros_like(points)
    made = Regions(
        known.plan, Balls(points, none, none, none.flatten(1)[:, 0], Norm.LINF), len(points), 2, rounds=False
    )
    propagate(made, "intervals", _no_norms)
    return {name: (lower + upper) / 2 for name, (lower, upper) in made.intervals.items()}


def descend(known: Regions, margins: Tensor, points: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    """Follow sums (m, scores) of scores down from points (m, *shape): the least met, (m,), and where.

    The way is that of `descent.py`, with slopes by automatic differentiation. Points stay in the known region.
    """

    def values(rows: Tensor, points: Tensor) -> Tensor:
        return (rows * flat(at(known, points)[known.plan.output])).sum(1).nan_to_num(nan=torch.inf)

    region, shape = torch.zeros(len(points), dtype=torch.int64, device=points.device), points.shape[1:]
    least = values(margins, points)
    for _ in range(rounds):
        moved = points.clone().requires_grad_()
        (slopes,) = torch.autograd.grad(values(margins, moved).sum(), moved)
        ends = known.balls.lowest(Slopes(slopes.nan_to_num(0.0, 0.0, 0.0), tuple(shape)), region)
        tried = torch.stack([points + share * (ends - points) for share in STEPS])
        found = values(margins.repeat(len(STEPS), 1), tried.flatten(0, 1)).reshape(len(STEPS), -1)
        best, which = found.min(0)
        better = best < least
        points = torch.where(
            better.reshape(-1, *[1] * len(shape)), tried[which, torch.arange(len(points), device=which.device)], points
        )
        least = torch.minimum(best, least)
    return least, points


def _no_norms(name: str) -> Tensor:
    raise AssertionError(f"nobody asks how far {name} moves: its interval is given, or a point")
