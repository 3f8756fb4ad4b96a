"""Better intervals of what CROWN leaves unstable: each end by a search of its own (Xu et al. 2021, section 3.3).

With slopes of its own for every neuron, each end is what the relaxation before it can prove: no other objective could
make better use of it.
"""

import torch
from torch import Tensor

from models.onnx.bounds.linear.slopes import Slopes, flat
from models.onnx.bounds.optimized.objectives import Objectives
from models.onnx.bounds.passes.regions import Regions, buckets, listed

PASSES = 3  # what a step of a search takes more than a pass


def refine(regions: Regions, name: str, wanted: Tensor) -> None:
    """Search bounds of the wanted numbers (R, *shape) of a value, and keep what is tighter.

    What is affine in the rows is bounded exactly already. Rows whose WORK is spent keep their intervals.
    """
    if name in regions.plan.affine or name in regions.refined:
        return
    regions.refined.add(name)
    steps, shape = regions.intermediate_steps, regions.plan.shapes[name]
    sides, rows, positions = listed(regions.afforded(name, wanted, PASSES * (steps + 1))[: regions.count])
    lower, upper = regions.intervals[name]
    found = torch.stack([flat(lower), -flat(upper)])  # (2, R, numbers): bounds of y and of -y

    def climb(part: Tensor) -> Tensor:
        slopes = Slopes.one_hot(positions[part], shape).times(1.0 - 2.0 * sides[part])
        objectives = Objectives(regions, name, slopes, rows[part])
        return objectives.best(objectives.start(), steps)[0]

    parts = list(buckets(len(rows), regions.ascent_bucket, regions.device))
    for part, least in zip(parts, regions.each(climb, parts), strict=True):
        at = (sides[part], rows[part], positions[part])
        found[at] = torch.maximum(found[at], least)
    lower, upper = found[0].reshape(lower.shape), -found[1].reshape(upper.shape)
    regions.intervals[name] = lower, torch.maximum(lower, upper)  # they may cross by a rounding of float64
