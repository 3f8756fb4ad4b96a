"""Honest models to be mutated, which all open: the bundled ones, real exports, and small graphs of other operators."""

from functools import cache

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from tests.e2e.machine import DIGITS
from tests.exports import old_linear, torch_export
from tests.unit.models.onnx.test_gate import ACCEPTED

OF_THE_GATE = ("labels and a ZipMap", "int8 weights", "functions that fan out", "float16", "dropout at rest")


def bundled() -> dict[str, bytes]:
    """name -> file, of those that no exporter is needed for."""
    found = {path.stem: path.read_bytes() for path in sorted(DIGITS.glob("*.onnx"))}
    found["linear, opset 11"] = old_linear(11).data
    found["of everything"] = of_everything().SerializeToString()
    return found | {name: ACCEPTED[name]().SerializeToString() for name in OF_THE_GATE}


@cache
def seeds() -> dict[str, bytes]:
    """name -> file, of all."""
    found = bundled()
    for net in ("resnet block", "hand-written softmax", "both sides of a sigmoid"):
        found[net] = torch_export(net, "classic", 17).data
    found["cnn, dynamo"] = torch_export("cnn", "dynamo", 18).data
    return found


def of_everything() -> ModelProto:
    """Operators that exports of small networks do not have: shapes, slices, gathers, reductions, choices."""
    node = helper.make_node
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[0, 2, 1]),
        node("Slice", ["t", "starts", "ends", "axes"], ["s"]),
        node("Pad", ["s", "pads"], ["p"], mode="constant"),
        node("Gather", ["p", "picked"], ["g"], axis=2),
        node("Concat", ["g", "s"], ["c"], axis=2),
        node("ReduceMean", ["c"], ["m"], axes=[2], keepdims=0),
        node("Clip", ["m", "low", "high"], ["k"]),
        node("Greater", ["k", "middle"], ["b"]),
        node("Where", ["b", "k", "middle"], ["w"]),
        node("Gemm", ["w", "weights", "bias"], ["z"], transB=1),
        node("LogSoftmax", ["z"], ["y"], axis=1),
    ]
    rng = np.random.default_rng(5)
    tensors = {
        "starts": np.array([0]), "ends": np.array([3]), "axes": np.array([2]), "pads": np.array([0, 0, 1, 0, 0, 1]),
        "picked": np.array([0, 2]), "low": np.float32(-2), "high": np.float32(2), "middle": np.float32(0.1),
        "weights": rng.normal(size=(3, 4)).astype(np.float32), "bias": np.zeros(3, np.float32),
    }  # fmt: skip
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", ("N", 3, 4)), ("y", ("N", 3)))
    ]
    made = [numpy_helper.from_array(np.asarray(array), name) for name, array in tensors.items()]
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:], made)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
