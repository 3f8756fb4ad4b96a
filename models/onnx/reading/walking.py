"""The range of each value of a graph, node after node."""

import numpy as np
import onnx
from onnx import ModelProto

from models.onnx.graph import ML, ONNX, constants, opset, producers
from models.onnx.reading.operation import Operation
from models.onnx.reading.ranges import ANY, UNKNOWN, Range, of_array
from models.onnx.reading.rules.table import LEARNED, RULES


def ranges(model: ModelProto) -> dict[str, Range]:
    """Find the range of each value of a graph whose nodes are in order. Its inputs may be any numbers."""
    known, shapes = constants(model.graph), _shapes(model)
    found = {value.name: ANY for value in model.graph.input}
    found |= {name: of_array(values) for name, values in known.items()}
    makers, version = producers(model.graph), opset(model)
    for proto in model.graph.node:
        node = Operation(proto, version, found, known, shapes, makers)
        each = (UNKNOWN,) * len(proto.output)
        table = RULES if proto.domain in ONNX else LEARNED if proto.domain == ML else {}
        if proto.op_type in table:
            with np.errstate(all="ignore"):
                made = table[proto.op_type](node)
            each = made if isinstance(made, tuple) else (made,) * len(proto.output)
        for name, one in zip(proto.output, each, strict=False):
            if name and name not in known:
                found[name] = one
    return found


def _shapes(model: ModelProto) -> dict[str, list[int]]:
    """As far as they can be inferred; 0 for an axis of any size."""
    try:
        inferred = onnx.shape_inference.infer_shapes(model).graph
    except (
        onnx.shape_inference.InferenceError,
        RuntimeError,
        ValueError,
    ):  # what it cannot infer, onnxruntime may still run
        return {}
    values = [*inferred.value_info, *inferred.input, *inferred.output]
    found = {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in values
        if value.type.tensor_type.HasField("shape")
    }
    return found | {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
