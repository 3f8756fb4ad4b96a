"""The small constants of a graph: shapes, counts and switches that decide how large something becomes."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import AttributeProto, NodeProto, TensorProto, numpy_helper

from models.onnx.gate.walk import GraphBody, domain_of

MAX_NUMBERS = 64  # no shape has more axes; larger tensors are weights
TYPES = (
    TensorProto.BOOL,
    TensorProto.DOUBLE,
    TensorProto.FLOAT,
    TensorProto.FLOAT16,
    TensorProto.INT32,
    TensorProto.INT64,
)

Constants = dict[str, NDArray[Any]]


def small_constants(body: GraphBody) -> Constants:
    """Collect, by name, this body's initializers and Constant nodes that are small enough to be a shape."""
    known = {tensor.name: value for tensor in body.initializers if (value := _read(tensor)) is not None}
    for node in body.nodes:
        if node.op_type == "Constant" and not domain_of(node) and node.output:
            value = _constant(node)
            if value is not None:
                known[node.output[0]] = value
    return known


def _constant(node: NodeProto) -> NDArray[Any] | None:
    for attribute in node.attribute:
        match attribute.name:
            case "value" if attribute.HasField("t"):
                return _read(attribute.t)
            case "value_int":
                return np.array(attribute.i)
            case "value_float":
                return np.array(attribute.f)
            case "value_ints" | "value_floats":
                return _listed(attribute)
    return None


def _listed(attribute: AttributeProto) -> NDArray[Any] | None:
    numbers = attribute.ints or attribute.floats
    return np.array(numbers) if len(numbers) <= MAX_NUMBERS else None


def _read(tensor: TensorProto) -> NDArray[Any] | None:
    """None where it is large or holds no numbers. The tensor's size has been checked (`gate_tensors.py`)."""
    if tensor.data_type not in TYPES or prod(tensor.dims) > MAX_NUMBERS:
        return None
    return numpy_helper.to_array(tensor)
