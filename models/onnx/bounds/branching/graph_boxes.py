"""Boxes of the input of a graph with any curves: all its values are bounded anew on each, by CROWN."""

from dataclasses import dataclass

import torch
from torch import Tensor

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.branching import graph_passes
from models.onnx.bounds.branching.box_bounds import LinearFloor, least_on_box
from models.onnx.bounds.branching.descent import ROOT_ROUNDS
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.passes.backward import propagate_backward
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.propagation import propagate


@dataclass(frozen=True)
class GraphBoxes:
    """Graph boxes are those of the first of the known regions. `margins` (m, scores): sums of scores.

    `slack`: what is taken off each. Speaks `BoxBounds`.
    """

    known: Regions
    margins: Tensor
    slack: float = 0.0

    @property
    def count(self) -> int:
        return len(self.margins)

    @property
    def held(self) -> int:
        return 16 * self.known.plan.total  # both ends of every number

    def floors(self, rows: Tensor, lower: Tensor, upper: Tensor) -> LinearFloor:
        """Take the linear bounds, or the constant ones where these are better."""
        known, plan = self.known, self.known.plan
        here = Regions(plan, filled(lower, upper, plan.shapes[plan.input]), len(rows), known.bucket, known.rounds)
        propagate(here, "crown", _no_norms)
        every = torch.arange(len(rows))
        slopes = Slopes(self.margins[rows].reshape(-1, *plan.shapes[plan.output]), plan.shapes[plan.output])
        below, constant = propagate_backward(plan, plan.output, slopes, every, here.linear_bounds, here.disturbances)
        level = here.least(plan.output, slopes, every, here.constant_bounds).nan_to_num(nan=-torch.inf)
        steep = torch.zeros_like(lower) if below is None else flat(below.whole().numbers)
        least = (constant + least_on_box(steep, lower, upper)[0]).nan_to_num(nan=-torch.inf)
        is_steep = (least >= level) & constant.isfinite() & steep.isfinite().all(1)
        return LinearFloor(
            torch.where(is_steep[:, None], steep, 0.0), torch.where(is_steep, constant, level) - self.slack
        )

    def values(self, rows: Tensor, points: Tensor) -> Tensor:
        output = graph_passes.at(self.known, self._shaped(points))[self.known.plan.output]
        return (self.margins[rows] * flat(output)).sum(1).nan_to_num(nan=torch.inf) - self.slack

    def followed(self, rows: Tensor, points: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
        sizes, ends = graph_passes.descend(self.known, self.margins[rows], self._shaped(points), rounds)
        return sizes - self.slack, flat(ends)

    def around(self, point: Tensor) -> tuple[Tensor, Tensor]:
        starts = torch.stack([point, flat(self.known.balls.x)[0]]).repeat_interleave(self.count, 0)
        return self.followed(torch.arange(self.count).repeat(2), starts, ROOT_ROUNDS)

    def _shaped(self, points: Tensor) -> Tensor:
        return points.reshape(-1, *self.known.plan.shapes[self.known.plan.input])


def filled(lower: Tensor, upper: Tensor, shape: Shape) -> Balls:
    """Write boxes (B, d) as balls that fill them: every number has its own room below and above."""
    middle = (lower + upper) / 2
    most = torch.full_like(middle, torch.inf)
    below, above = (torch.nextafter(room, most) for room in (middle - lower, upper - middle))
    radii = torch.maximum(below, above).amax(1)
    middle, below, above = (values.reshape(-1, *shape) for values in (middle, below, above))
    return Balls(middle, below, above, radii, Norm.LINF)


def _no_norms(name: str) -> Tensor:
    raise AssertionError(f"boxes are balls of linf, which are asked for no dual norms of {name}")
