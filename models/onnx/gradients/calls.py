"""Calls of a converted graph, all with one number of rows: what is made for that number is never asked another."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.errors import ModelFault
from algorithms.seam.access import Rows
from models.device import Device
from models.onnx.batch import is_full
from models.onnx.gradients.conversion import withheld
from models.onnx.gradients.narrow_convolutions import NarrowConvolutions, are_narrow
from models.onnx.gradients.norms import norms_of_differences
from models.onnx.gradients.recording import Recorder
from models.onnx.session import padded
from models.onnx.stumbling import being_run, fails

Context = Callable[[], AbstractContextManager[Any]]


class Calls:
    """Calls are made of a graph that was converted for so many rows. They may be made from several threads at once."""

    def __init__(self, module: torch.nn.Module, rows: int, device: Device, within: Context | None = None) -> None:
        """`within`: what each call is made in."""
        self.rows = rows
        self.module = module.to(device)
        self._device = device
        is_narrow = device == "cpu" and are_narrow(module.buffers())
        self._within = within or (NarrowConvolutions if is_narrow else nullcontext)
        norms = partial(norms_of_differences, self.scores)
        self.norms: Callable[[Tensor, Tensor, Tensor], Tensor] = norms if device == "cpu" else Recorder(norms, device)

    def forward(self, rows: Rows, within: Context | None = None) -> tuple[Tensor, Tensor]:
        """Return (points, scores), both padded to the rows of a call, with the graph between them held."""
        points = self.points(rows).requires_grad_(True)
        return points, self.scores(points, within)

    def points(self, rows: Rows) -> Tensor:
        """Put rows, no more than a call has, where the graph is, and fill up to the rows of a call."""
        return as_tensor(padded(rows, self.rows)).to(self._device)

    def scores(self, points: Tensor, within: Context | None = None) -> Tensor:
        """Score points that want a gradient. Raises ModelFault, and Refused where there is none to be had."""
        try:
            with (within or self._within)():
                scores: Tensor = self.module(points)
        except Exception as error:  # a graph of other people's, rebuilt by a young library, may stumble in any way
            if is_full(error):
                raise
            raise ModelFault(fails("gradients", being_run(self.module, points.detach()))) from error
        if not scores.requires_grad:
            raise withheld("There is no gradient: the graph turns the rows into whole numbers or truth values.")
        return scores


def as_tensor(values: NDArray[Any]) -> Tensor:
    """Take rows as they lie in memory, or a copy in C order: cuDNN chooses kernels by strides."""
    return torch.from_numpy(np.ascontiguousarray(values))
