"""Models exported for a fixed number of rows, made to take any.

Most are held to their size only by the constant shape of a Reshape before the first dense layer. Whether the rewriting
was right is not argued but checked, against the file in its own size.
"""

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from models.onnx.graph import ONNX, Editor, constants, consumed


def free(model: ModelProto, entry: str, batch: int) -> ModelProto:
    """Copy a graph without a fixed batch size: Reshapes of rows to (batch, ...) keep their first axis instead."""
    freed = ModelProto()
    freed.CopyFrom(model)
    graph = freed.graph
    graph.ClearField("value_info")
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    for value in graph.input:
        if value.name == entry:
            value.type.tensor_type.shape.dim[0].dim_param = "N"
    known, editor = constants(graph), Editor(freed)
    for node in _fed_by(freed, entry):
        shape = known.get(node.input[1]) if _is_reshape(node) else None
        if shape is not None and shape.size and shape.ravel()[0] == batch:
            _keep_first_axis(node, shape.ravel(), editor)
    return freed


def _is_reshape(node: NodeProto) -> bool:
    return node.op_type == "Reshape" and node.domain in ONNX and len(node.input) == 2


def _keep_first_axis(node: NodeProto, shape: NDArray[np.int64], editor: Editor) -> None:
    """(1, 256) -> (-1, 256); (1, -1) -> (0, -1), where 0 copies the size of the batch, unless it is to mean none."""
    first = -1
    if -1 in shape:
        first = 0
        kept = [a for a in node.attribute if a.name != "allowzero"]
        node.ClearField("attribute")
        node.attribute.extend(kept)
    node.input[1] = editor.constant(np.array([first, *shape[1:]], np.int64), "shape")


def _fed_by(model: ModelProto, entry: str) -> list[NodeProto]:
    """Nodes that depend on the rows: a Reshape of weights must stay as it is."""
    reached, found = {entry}, []
    for node in model.graph.node:  # sorted by `prune`
        if reached.intersection(consumed(node)):
            reached.update(name for name in node.output if name)
            found.append(node)
    return found
