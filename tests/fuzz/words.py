"""What mutations are made of: odd numbers and words, names of operators, and ways to reach into a model."""

import random
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto

INTEGERS = (0, 1, -1, 2, 3, 7, 255, 2**31 - 1, 2**31, -(2**31), 2**40, 2**62, -(2**63), 2**63 - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-38, 3e38, float("inf"), float("-inf"), float("nan"))
TEXTS = (
    "",
    "x",
    "y",
    "w",
    "Loop",
    "If",
    "ai.onnx",
    "com.microsoft",
    "\u2028",
    "../../etc/passwd",
    "%s%n",
    "a" * 10_000,
)
OPERATORS = (
    "Relu", "Neg", "Exp", "Log", "Sqrt", "Abs", "Sign", "Floor", "Softmax", "Sigmoid", "Tanh", "Identity", "Add", "Mul",
    "Div", "Pow", "Mod", "MatMul", "Gemm", "Conv", "MaxPool", "Flatten", "Reshape", "Expand", "Tile", "Shape", "Size",
    "Range", "NonZero", "TopK", "ArgMax", "Unique", "Loop", "If", "Scan", "CumSum", "Einsum", "Resize",
    "ConstantOfShape", "GatherND", "ScatterND", "OneHot", "ReduceSum", "LSTM", "RandomNormal", "Where", "Cast", "Det",
    "DequantizeLinear",
)  # fmt: skip


def some(things: list[Any], rng: random.Random, most: int) -> list[Any]:
    return rng.sample(things, min(most, len(things)))


def raw(model: ModelProto) -> list[TensorProto]:
    return [tensor for tensor in model.graph.initializer if tensor.raw_data]


def replace(nodes: Any, by: list[NodeProto]) -> None:
    kept = [NodeProto.FromString(node.SerializeToString()) for node in by]
    del nodes[:]
    nodes.extend(kept)
