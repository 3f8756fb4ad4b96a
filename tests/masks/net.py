"""Small graphs written operator by operator, as bytes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from tests.exports import graph

Array = NDArray[Any]


class Net:
    """A net collects nodes behind its input `x` [N, d]. Values are names; numbers and arrays become constants."""

    def __init__(self, features: int) -> None:
        self.features = features
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, Array] = {}

    def op(self, kind: str, *inputs: Any, domain: str = "", **attributes: Any) -> str:
        """Add a node, and name its output."""
        name = f"v{len(self._nodes)}"
        given = [value if isinstance(value, str) else self._constant(value) for value in inputs]
        self._nodes.append(helper.make_node(kind, given, [name], domain=domain, **attributes))
        return name

    def node(self, kind: str, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        """Add a node that makes several values, by their names."""
        self._nodes.append(helper.make_node(kind, list(inputs), list(outputs)))

    def data(self, *outputs: str, opset: int = 13) -> bytes:
        """Write the file. Each output is called as its value."""
        said = [(name, *self._is(name, opset)) for name in outputs]
        return graph(self._nodes, ["N", self.features], said, self._constants, opset=opset)

    def _is(self, output: str, opset: int) -> tuple[int, list[int | str]]:
        """The dtype of a value and its axes, as the graph implies them."""
        so_far = graph(self._nodes, ["N", self.features], [(output, 0, None)], self._constants, opset=opset)
        made = onnx.shape_inference.infer_shapes(onnx.load_from_string(so_far)).graph.output[0].type.tensor_type
        return made.elem_type, ["N", *(d.dim_value for d in made.shape.dim[1:])]

    def _constant(self, value: Any) -> str:
        array = np.asarray(value)
        name = f"c{len(self._constants)}"
        self._constants[name] = array.astype(np.float32) if array.dtype == np.float64 else array
        return name
