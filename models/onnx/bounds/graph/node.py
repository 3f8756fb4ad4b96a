"""One node of a graph as its rule sees it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import NodeProto
from torch import Tensor

from models.device import Device
from models.onnx.bounds.graph.tracing import Shape, Trace
from models.onnx.graph import attribute

BETWEEN = "/"  # no value of the graph has it in its name: they are numbered


class Unsupported(Exception):
    """A node has no rule that covers it. The text completes the sentence "Bounds are not implemented for ..."."""


@dataclass(frozen=True)
class Node:
    """A node knows the shapes of what it reads and makes, and the constants among its inputs."""

    proto: NodeProto
    trace: Trace
    opset: int
    device: Device

    @property
    def name(self) -> str:
        """Name the value that the node makes."""
        return str(self.proto.output[0])

    def inner(self, what: str) -> str:
        """Name a value between the steps of the node."""
        return f"{self.name}{BETWEEN}{what}"

    @property
    def out(self) -> Shape:
        """Give the shape of one row of the value that the node makes."""
        return self.trace.shapes[self.name]

    @property
    def sources(self) -> tuple[str, ...]:
        """Name the inputs that depend on the rows."""
        return tuple(name for name in self.proto.input if name in self.trace.shapes)

    def maker(self, i: int = 0) -> "Node | None":
        """Find the node that makes an input, if it depends on the rows and is not theirs."""
        made = self.trace.makers.get(self.proto.input[i]) if i < len(self.proto.input) else None
        return None if made is None else Node(made, self.trace, self.opset, self.device)

    def depends(self, i: int) -> bool:
        return i < len(self.proto.input) and self.proto.input[i] in self.trace.shapes

    def shape(self, i: int = 0) -> Shape:
        """Give the shape of one row of an input that depends on the rows. Raises Unsupported for a constant."""
        if not self.depends(i):
            raise self.unsupported("with a constant in the place of the rows")
        return self.trace.shapes[self.proto.input[i]]

    def operand(self, i: int) -> Shape:
        """Give the shape of one row of an operand. Raises Unsupported where broadcasting would move its batch axis."""
        if len(self.shape(i)) != len(self.out):
            raise self.unsupported("with another number of axes")
        return self.shape(i)

    def attribute(self, name: str, default: Any) -> Any:
        return attribute(self.proto, name, default)

    def array(self, i: int) -> NDArray[Any] | None:
        """Read a constant input; None where it is left out. Raises Unsupported where it depends on the rows."""
        if i >= len(self.proto.input) or not self.proto.input[i]:
            return None
        if self.depends(i):
            raise self.unsupported("of two values that depend on the rows")
        if self.proto.input[i] not in self.trace.constants:
            raise self.unsupported("with a sparse constant")
        return np.asarray(self.trace.constants[self.proto.input[i]])

    def tensor(self, i: int) -> Tensor | None:
        """Read a constant input in float64, as it is; None where it is left out."""
        found = self.array(i)
        return None if found is None else torch.from_numpy(found.astype(np.float64)).to(self.device)

    def required(self, i: int) -> Tensor:
        found = self.tensor(i)
        if found is None:
            raise self.unsupported("without its weights")
        return found

    def spread(self, i: int) -> Tensor:
        """Read a constant operand, shaped to broadcast over (m, *out): the same for every row."""
        found, size = self.required(i), len(self.out) + 1
        found = found.reshape((1,) * (size - found.dim()) + tuple(found.shape))
        if found.dim() > size or not bool((found == found[:1]).all()):
            raise self.unsupported("with a constant that differs from row to row")
        return found[:1]

    def axes(self, i: int, name: str = "axes") -> list[int] | None:
        """Read axes, an input (newer opsets) or an attribute, counted from 0 in an array with its batch axis."""
        found = self.array(i)
        given = self.attribute(name, None) if found is None else found.ravel().tolist()
        return None if given is None else [int(axis) % (len(self.shape()) + 1) for axis in given]

    def unsupported(self, how: str) -> Unsupported:
        return Unsupported(f"{self.proto.op_type} {how}")
