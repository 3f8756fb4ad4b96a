"""Which rule each ONNX operator follows. A model with any other offers no bounds, and its card names the operator."""

from collections.abc import Callable

from models.onnx.bounds.node import Node
from models.onnx.bounds.operators import GraphStep, Operator
from models.onnx.bounds.rules import (
    arithmetic,
    averages,
    convex,
    convolution,
    dense,
    maximum,
    products,
    rectifiers,
    shaping,
    sigmoids,
)

BoundRule = Callable[[Node], Operator | tuple[GraphStep, ...]]
"""One node -> the operator it is, or the steps it takes, of which the last one makes the node's own value."""

RULES: dict[str, BoundRule] = {
    "Abs": convex.absolute,
    "Add": arithmetic.add,
    "AveragePool": averages.pool,
    "BatchNormalization": arithmetic.normalize,
    "Cast": shaping.cast,
    "Clip": rectifiers.clip,
    "Concat": shaping.concatenate,
    "Conv": convolution.convolve,
    "Div": arithmetic.divide,
    "Dropout": shaping.pass_on,  # the gate lets it in for inference only
    "Erf": sigmoids.erf,
    "Flatten": shaping.reshape,
    "Gather": shaping.pick,
    "Gelu": products.gelu,
    "Gemm": dense.gemm,
    "GlobalAveragePool": averages.pool_all,
    "HardSigmoid": products.hard_sigmoid,
    "HardSwish": products.hard_swish,
    "Identity": shaping.pass_on,
    "LeakyRelu": rectifiers.leaky_relu,
    "MatMul": dense.matmul,
    "MaxPool": maximum.max_pool,
    "Mul": arithmetic.multiply,
    "Neg": arithmetic.negate,
    "Pad": shaping.pad,
    "ReduceMean": averages.reduce_mean,
    "ReduceSum": averages.reduce_sum,
    "Relu": rectifiers.relu,
    "Reshape": shaping.reshape,
    "Sigmoid": sigmoids.sigmoid,
    "Slice": shaping.cut,
    "Squeeze": shaping.reshape,
    "Sub": arithmetic.subtract,
    "Tanh": sigmoids.tanh,
    "Transpose": shaping.transpose,
    "Unsqueeze": shaping.reshape,
}
