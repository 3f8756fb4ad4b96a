"""Points of a box that go down the worst condition of each part by signs of gradients (Madry et al. 2018), in torch."""

from collections.abc import Iterator

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from algorithms.errors import Refused
from models.onnx.gradients.conversion import convert
from models.onnx.properties.subject import Subject
from models.properties.conditions import PropertyCase, WantedOutputs

STEPS, STARTS = 40, 8
PARTS = 32  # at the most: where there are more, proofs come first
FIRST, LAST = 0.25, 0.002  # of the width of the box that a step goes


def descents(
    model: onnx.ModelProto, subject: Subject, case: PropertyCase, rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Yield points (STARTS, inputs), where descents for each part of what is wanted end; none without gradients."""
    rows = np.zeros((1, *subject.shape), np.float32)
    try:
        module = convert(model, rows)
    except Refused:
        return
    for part in case.parts[:PARTS]:
        yield _descend(module, subject, case, part, rng)


def _descend(
    module: torch.nn.Module, subject: Subject, case: PropertyCase, part: WantedOutputs, rng: np.random.Generator
) -> NDArray[np.float64]:
    lower, upper = (torch.tensor(ends, dtype=torch.float32) for ends in (case.lower, case.upper))
    matrix, limits = (torch.tensor(values, dtype=torch.float32) for values in (part.matrix, part.limits))
    x = lower + (upper - lower) * torch.tensor(rng.random((STARTS, subject.inputs)), dtype=torch.float32)
    for share in np.geomspace(FIRST, LAST, STEPS):
        x.requires_grad_()
        outputs = torch.stack([module(row.reshape(1, *subject.shape)).reshape(-1) for row in x])
        (slopes,) = torch.autograd.grad((outputs @ matrix.T - limits).amax(1).sum(), x)
        x = (x.detach() - share * (upper - lower) * slopes.nan_to_num().sign()).clamp(lower, upper)
    return x.numpy().astype(np.float64)
