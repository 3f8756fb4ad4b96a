"""One node of a graph as the rules of ranges see it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from onnx import NodeProto

from models.onnx.graph import Producers, attribute
from models.onnx.reading.ranges import UNKNOWN, Range


@dataclass(frozen=True)
class Operation:
    """A node knows the ranges and shapes of what it reads, and the constants among its inputs."""

    proto: NodeProto
    opset: int
    ranges: Mapping[str, Range]
    constants: Mapping[str, NDArray[Any]]
    shapes: Mapping[str, list[int]]
    makers: Producers

    def name(self, i: int = 0) -> str:
        """Name an input; "" where it is left out."""
        return str(self.proto.input[i]) if i < len(self.proto.input) else ""

    def range(self, i: int = 0) -> Range:
        return self.ranges.get(self.name(i), UNKNOWN)

    @property
    def given(self) -> list[Range]:
        """List the ranges of all inputs."""
        return [self.range(i) for i in range(len(self.proto.input))]

    def constant(self, i: int) -> NDArray[Any] | None:
        return self.constants.get(self.name(i))

    def attribute(self, name: str, default: Any) -> Any:
        return attribute(self.proto, name, default)

    def rank(self, i: int = 0) -> int | None:
        shape = self.shapes.get(self.name(i))
        return None if shape is None else len(shape)

    def width(self, i: int = 0) -> int | None:
        """Count the numbers along the last axis of an input; None where that is not known."""
        shape = self.shapes.get(self.name(i))
        return shape[-1] or None if shape else None

    def is_last(self, axis: int) -> bool:
        """Tell whether an axis is known to be the last one of the first input."""
        rank = self.rank()
        return axis == -1 or (rank is not None and axis == rank - 1)

    def axes(self) -> list[int] | None:
        """List the axes of a reduction, an input (newer opsets) or an attribute; None: all of them, or not known."""
        if len(self.proto.input) > 1 and self.name(1):
            found = self.constant(1)
            return None if found is None else [int(axis) for axis in found.ravel()]
        given = self.attribute("axes", None)
        return None if given is None else list(given)


RangeRule = Callable[[Operation], Range | tuple[Range, ...]]  # one range for all outputs, or one each
