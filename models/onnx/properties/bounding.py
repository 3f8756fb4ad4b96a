"""Bounds of linear conditions over many boxes at once, and where their linear bounds are least."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from algorithms.mathematics.norms import Norm
from algorithms.threads import cores
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.passes.backward import propagate_backward
from models.onnx.bounds.passes.plan import BoundPlan
from models.onnx.bounds.passes.regions import Regions, buckets
from models.onnx.bounds.propagation import propagate

BOXES, BUCKET = 32, 512  # of a group, and objectives of a backward pass


@dataclass(frozen=True)
class BoundedBoxes:
    """What is known of k conditions over n boxes: matrix y - limits is no less than `least`, (n, k)."""

    least: Tensor
    slopes: Tensor  # (n, k, inputs) of the linear bounds by the inputs


class BoxBounding:
    """Bounds conditions of one graph, box by box, groups of boxes side by side."""

    def __init__(self, plan: BoundPlan) -> None:
        self._plan = plan
        self._pool = ThreadPoolExecutor(cores(), "boxes", initializer=torch.set_num_threads, initargs=(1,))

    def bound(self, lower: Tensor, upper: Tensor, matrix: Tensor, limits: Tensor) -> BoundedBoxes:
        """Bound conditions (k, outputs) over boxes (n, inputs), with the rounding of float32."""
        parts = [slice(start, start + BOXES) for start in range(0, len(lower), BOXES)]
        found = list(self._pool.map(lambda part: self._of_group(lower[part], upper[part], matrix), parts))
        least, slopes = (torch.cat(some) for some in zip(*found, strict=True))
        return BoundedBoxes((least - limits).nan_to_num(nan=-torch.inf), slopes)

    def _of_group(self, lower: Tensor, upper: Tensor, matrix: Tensor) -> tuple[Tensor, Tensor]:
        count, shape = len(lower), self._plan.shapes[self._plan.input]
        regions = Regions(self._plan, _balls(lower, upper, shape), count, BUCKET, rounds=True)
        propagate(regions, "crown", _not_asked)
        rows = torch.arange(count).repeat_interleave(len(matrix))
        objectives = matrix.reshape(len(matrix), *self._plan.shapes[self._plan.output])
        parts = [
            self._pass(regions, rows[at], objectives[at % len(matrix)]) for at in buckets(len(rows), BUCKET, "cpu")
        ]
        least, slopes = (torch.cat(some)[: len(rows)] for some in zip(*parts, strict=True))
        return least.reshape(count, -1), slopes.reshape(count, len(matrix), -1)

    def _pass(self, regions: Regions, rows: Tensor, objectives: Tensor) -> tuple[Tensor, Tensor]:
        plan = self._plan
        slopes = Slopes(objectives, plan.shapes[plan.output])
        below, constant = propagate_backward(
            plan, plan.output, slopes, rows, regions.linear_bounds, regions.disturbances
        )
        if below is None:
            return constant, torch.zeros(len(rows), *plan.shapes[plan.input], dtype=torch.float64).flatten(1)
        return constant + regions.balls.least(below, rows), below.whole().numbers.flatten(1)


def _not_asked(name: str) -> Tensor:
    raise AssertionError(f"boxes are balls of linf, which are asked for no dual norms of {name}")


def _balls(lower: Tensor, upper: Tensor, shape: tuple[int, ...]) -> Balls:
    """Boxes as balls that they fill: every number has its own room below and above."""
    middle = (lower + upper) / 2
    below, above = (values.reshape(-1, *shape) for values in (middle - lower, upper - middle))
    radii = torch.maximum(below, above).flatten(1).amax(1)
    return Balls(middle.reshape(-1, *shape), below, above, radii, Norm.LINF)
