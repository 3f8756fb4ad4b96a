"""scikit-learn's Scaler written in standard operators, so that a scaled network keeps its gradients."""

import numpy as np
from onnx import ModelProto, TensorProto

from models.onnx.graph import ML, Editor, attribute, prune


def in_plain_ops(model: ModelProto) -> None:
    """Replace every Scaler of ai.onnx.ml, y = (x - offset) * scale, by Cast, Sub and Mul."""
    scalers = [node for node in model.graph.node if node.domain == ML and node.op_type == "Scaler"]
    if not scalers:
        return
    editor = Editor(model)
    for node in scalers:
        value = editor.node("Cast", [node.input[0]], to=TensorProto.FLOAT)
        for op, field, neutral in (("Sub", "offset", 0.0), ("Mul", "scale", 1.0)):
            numbers = np.asarray(attribute(node, field, [neutral]), np.float32)
            value = editor.node(op, [value, editor.constant(numbers, field)])
        editor.feed(node.output[0], value)
    prune(model, list(model.graph.output))
