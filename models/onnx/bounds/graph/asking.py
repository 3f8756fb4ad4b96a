"""One node of a graph, asked by itself: what onnxruntime makes of it is what is served."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.onnx.bounds.graph.node import Node
from models.onnx.session import run, start


def answers(node: Node, rows: NDArray[Any], replaced: Mapping[int, NDArray[Any]] | None = None) -> list[NDArray[Any]]:
    """Ask the node of one value for its outputs on rows (n, *shape), with some constant inputs replaced by position."""
    constants = {
        i: np.asarray(node.trace.constants[name])
        for i, name in enumerate(node.proto.input)
        if name and not node.depends(i)
    } | dict(replaced or {})
    proto = helper.make_node(node.proto.op_type, [], list(node.proto.output))
    proto.attribute.extend(node.proto.attribute)
    proto.input.extend("x" if node.depends(i) else f"c{i}" * (i in constants) for i in range(len(node.proto.input)))
    graph = helper.make_graph(
        [proto],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(rows.shape))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in node.proto.output if name],
        [numpy_helper.from_array(value, f"c{i}") for i, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", node.opset)], ir_version=8)
    return [np.asarray(found) for found in run(start(model), "x", rows.astype(np.float32))]
