"""The intervals of neurons, climbed for one by one: in the whole region, and anew in parts of it.

With slopes of its own for each end (Xu et al. 2021, section 3.3), and in a part with multipliers of the sides that were
chosen there (Wang et al. 2021): what a part excludes makes the intervals behind it smaller.
"""

import torch
from torch import Tensor

from models.onnx.bounds.branching.beta_crown import Bounding, Known
from models.onnx.bounds.branching.searches import EachPart

STEPS, BUCKET = 20, 64  # of ascent for an end of a neuron's interval, ends that take them together


def tightened(bounding: tuple[Bounding, Bounding], known: Known, each: EachPart) -> Known:
    """Ascend for both ends of every free neuron behind the first layer, layer by layer, and keep what is tighter.

    `bounding`: fast, to look for slopes and multipliers, and sure, for the bound that counts. `known`: of one part.
    """
    fast, sure = bounding
    for layer in fast.network.layers[1:]:
        neurons = torch.arange(layer.start, layer.stop)[known.free[0, layer]]
        sides = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat_interleave(len(neurons))
        both = neurons.repeat(2)

        def least(ends: Tensor, known: Known = known, both: Tensor = both, sides: Tensor = sides) -> Tensor:
            rows = sure.network.neurons[both[ends]].times(sides[ends])
            start = fast.adaptive(known).of_each(len(ends))
            return sure.bound(rows, known, fast.ascend(rows, known, start, STEPS)[0]).values

        found = torch.cat(
            [torch.zeros(0, dtype=torch.float64), *each(least, torch.split(torch.arange(len(both)), BUCKET))]
        )
        lower, upper = known.lower.clone(), known.upper.clone()
        lower[0, neurons] = torch.maximum(lower[0, neurons], found[: len(neurons)])
        upper[0, neurons] = torch.maximum(lower[0, neurons], torch.minimum(upper[0, neurons], -found[len(neurons) :]))
        known = Known(lower, upper, known.signs)
    return known


def passes(known: Known, first: int) -> int:
    """Count the passes that climbing for the intervals of a part takes; `first`: neurons of the first layer."""
    return 2 * int(known.free[0, first:].sum()) * (STEPS + 1)
