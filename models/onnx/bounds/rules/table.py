"""Which rule each ONNX operator follows. A model with any other offers no bounds, and its card names the operator."""

from collections.abc import Callable

from models.onnx.bounds.operators import Operator
from models.onnx.bounds.reading import Reading
from models.onnx.bounds.rules import arithmetic, averages, convolution, dense, maximum, rectifiers, shaping, sigmoids

Rule = Callable[[Reading], Operator]

RULES: dict[str, Rule] = {
    "Add": arithmetic.add,
    "AveragePool": averages.pool,
    "BatchNormalization": arithmetic.normalize,
    "Cast": shaping.cast,
    "Clip": rectifiers.clip,
    "Concat": shaping.concatenate,
    "Conv": convolution.convolve,
    "Div": arithmetic.divide,
    "Dropout": shaping.pass_on,  # the gate lets it in for inference only
    "Flatten": shaping.reshape,
    "Gemm": dense.gemm,
    "GlobalAveragePool": averages.pool_all,
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
