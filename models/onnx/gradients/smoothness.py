"""What in a graph is not shown to be twice differentiable: read from its operators, and never tried.

Only what depends on the input's values counts; arithmetic on shapes does not. Roots, logarithms and quotients are
smooth away from 0, so what they are taken of has to be positive by the graph: x^2 under a root is |x|. A steep smooth
function is smooth, though it looks like a step: that is for whoever measures the curvature to notice.
"""

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto

from models.onnx.graph import ML, ONNX, attribute, constants, consumed, inputs_without_initializers

# Values moved or copied, sums and means of them, and products with one another.
MOVES = """
    Identity Dropout Reshape Flatten Transpose Squeeze Unsqueeze Concat Split Slice Gather GatherElements GatherND
    Expand Tile DepthToSpace SpaceToDepth AveragePool GlobalAveragePool ReduceMean ReduceSum
"""
LINEAR = """
    Add Sub Neg Sum Mean Mul MatMul Gemm Einsum Conv ConvTranspose BatchNormalization Pad CumSum Trilu ReduceSumSquare
"""
CURVED = """
    Tanh Sigmoid Softplus Softmax LogSoftmax ReduceLogSumExp Erf Gelu Mish Swish Exp Sin Cos Sinh Cosh Asinh Atan
"""
NORMALIZING = frozenset(["LayerNormalization", "InstanceNormalization", "GroupNormalization", "RMSNormalization"])
EPSILON = 1e-5  # of these, where none is given: without any they are steps at 0
SMOOTH = NORMALIZING.union(MOVES.split(), LINEAR.split(), CURVED.split())
POSITIVE = frozenset(["Exp", "Sigmoid", "Softmax", "Softplus", "Cosh"])
KEEP_SIGN = frozenset(MOVES.split())
ARRANGED = frozenset(  # what is beside their first input must not depend on the values
    ["Gather", "GatherElements", "GatherND", "Slice", "Reshape", "Expand", "Tile", "Pad", "BatchNormalization"]
)
SHAPES = frozenset({"Shape", "Size"})  # the same for all values
FLOATS = (TensorProto.FLOAT, TensorProto.DOUBLE)


class Sign(IntEnum):
    UNKNOWN = 0
    NOT_NEGATIVE = 1
    POSITIVE = 2


def kinks(model: ModelProto) -> tuple[str, ...]:
    """Name the operators between input and scores that are not shown to be twice differentiable, each once."""
    return tuple(sorted(_Reading(model).kinks))


class _Reading:
    """One walk through a graph whose nodes are in order."""

    def __init__(self, model: ModelProto) -> None:
        self.known = constants(model.graph)
        self.signs = {name: _sign_of(value) for name, value in self.known.items()}
        self.live = {value.name for value in inputs_without_initializers(model.graph)}
        self.kinks: set[str] = set()
        for node in model.graph.node:
            if self.live.isdisjoint(consumed(node)) or node.op_type in SHAPES:
                continue
            self.live.update(node.output)
            if not self._is_smooth(node):
                self.kinks.add(node.op_type if node.domain in (*ONNX, ML) else "functions of its own")
            self.signs[node.output[0]] = self._sign(node)

    def _is_smooth(self, node: NodeProto) -> bool:
        if node.domain not in ONNX:
            return False
        match node.op_type:
            case op if op in ARRANGED:
                return self.live.isdisjoint(node.input[1:])
            case "Where":
                return node.input[0] not in self.live
            case "Cast":
                return attribute(node, "to", TensorProto.UNDEFINED) in FLOATS
            case "Log" | "Sqrt" | "Reciprocal":
                return self._of(node.input[0]) is Sign.POSITIVE
            case "Div":
                return node.input[1] not in self.live or self._of(node.input[1]) is Sign.POSITIVE
            case "Pow":
                return self._is_whole_power(node) or (
                    node.input[1] not in self.live and self._of(node.input[0]) is Sign.POSITIVE
                )
            case op:
                return op in SMOOTH and (op not in NORMALIZING or attribute(node, "epsilon", EPSILON) > 0)

    def _is_whole_power(self, node: NodeProto) -> bool:
        exponent = self.known.get(node.input[1])
        return exponent is not None and bool(np.all((exponent >= 0) & (exponent == np.round(exponent))))

    def _sign(self, node: NodeProto) -> Sign:
        of = [self._of(name) for name in node.input if name]
        match node.op_type:
            case op if op in POSITIVE:
                return Sign.POSITIVE
            case "Mul" if node.input[0] == node.input[1]:
                return max(of[0], Sign.NOT_NEGATIVE)
            case "Pow" if self._is_whole_power(node) and np.all(self.known[node.input[1]] % 2 == 0):
                return max(of[0], Sign.NOT_NEGATIVE)
            case "ReduceSumSquare":
                return Sign.NOT_NEGATIVE
            case "Add" | "Sum":
                return max(of) if min(of) > Sign.UNKNOWN else Sign.UNKNOWN
            case "Concat" | "Mul" | "Div" | "Mean":
                return min(of)
            case op if op in KEEP_SIGN or op in ("Cast", "Sqrt", "Reciprocal"):
                return of[0]
            case _:
                return Sign.UNKNOWN

    def _of(self, name: str) -> Sign:
        return self.signs.get(name, Sign.UNKNOWN)


def _sign_of(value: NDArray[Any]) -> Sign:
    if not np.issubdtype(value.dtype, np.number) or not value.size or np.isnan(value).any() or value.min() < 0:
        return Sign.UNKNOWN
    return Sign.POSITIVE if value.min() > 0 else Sign.NOT_NEGATIVE
