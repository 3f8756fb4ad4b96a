"""Sums, products and linear layers."""

import math
from dataclasses import replace

import numpy as np

from models.onnx.reading.operation import Operation, RangeRule
from models.onnx.reading.ranges import (
    ANY,
    UNKNOWN,
    Mix,
    Range,
    contracted,
    hull,
    negative,
    of_mix,
    product,
    reciprocal,
    scaled,
    sum_of,
)

HEAD = replace(ANY, is_score=True)  # of a linear layer of which no more is known
BYTES = Range(0.0, 255.0, is_whole=True)


def add(node: Operation) -> Range:
    """Add all inputs."""
    found, *rest = node.given
    for each in rest:
        found = sum_of(found, each)
    return found


def subtract(node: Operation) -> Range:
    return sum_of(node.range(0), negative(node.range(1)))


def multiply(node: Operation) -> Range:
    for i in (0, 1):
        factors = node.constant(i)
        if factors is not None and factors.size:
            return scaled(node.range(1 - i), factors.astype(np.float64))
    return product(node.range(0), node.range(1))


def divide(node: Operation) -> Range:
    """Divide; a part over a sum that it is a part of is a share."""
    divisors = node.constant(1)
    if divisors is not None and divisors.size and bool((divisors != 0).all()):
        return scaled(node.range(0), 1 / divisors.astype(np.float64))
    if _is_share(node):
        return Range(0.0, 1.0, total=(0.0, 1.0))
    return product(node.range(0), reciprocal(node.range(1)))


def _is_share(node: Operation) -> bool:
    """x / sum(x) over the last axis, or a / (a + b), of numbers that are not negative."""
    if node.range(0).low < 0:
        return False
    maker = node.makers.get(node.name(1))
    while maker is not None and maker.op_type in ("Clip", "Expand", "Identity", "Max"):  # against a sum of zero
        maker = node.makers.get(maker.input[0])
    if maker is None:
        return False
    if maker.op_type in ("ReduceSum", "ReduceL1"):
        inner = replace(node, proto=maker)
        axes = inner.axes()
        return maker.input[0] == node.name(0) and axes is not None and len(axes) == 1 and inner.is_last(axes[0])
    others = [name for name in maker.input if name != node.name(0)]
    is_sum = maker.op_type == "Add" and len(others) < len(maker.input)
    return is_sum and all(node.ranges.get(name, UNKNOWN).low >= 0 for name in others)


def gemm(node: Operation) -> Range:
    """Multiply by constant weights, and add a bias."""
    weights, bias = node.constant(1), node.range(2) if node.name(2) else Range(0.0, 0.0)
    if weights is None or weights.ndim != 2 or node.attribute("transA", 0):
        return HEAD
    scale = float(node.attribute("alpha", 1.0))
    numbers = scale * weights.astype(np.float64)
    numbers = numbers.T if node.attribute("transB", 0) else numbers
    added = node.constant(2)
    if added is not None:
        return contracted(node.range(), numbers, float(node.attribute("beta", 1.0)) * added.astype(np.float64).ravel())
    return sum_of(contracted(node.range(), numbers), bias)


def matmul(node: Operation) -> Range:
    weights = node.constant(1)
    if weights is None or weights.ndim not in (1, 2):
        return HEAD
    numbers = weights.reshape(len(weights), -1).astype(np.float64)
    shares = node.range().shares_of
    if shares is not None and numbers.shape[1] == 1:
        return of_mix(Mix(shares, tuple(numbers[:, 0].tolist())))
    return contracted(node.range(), numbers)


def convolve(node: Operation) -> Range:
    """Sum products, some of which the padding of a convolution takes out."""
    weights, given = node.constant(1), node.range()
    if weights is None or weights.ndim < 3:
        return HEAD
    padded = replace(given.ends_alone, low=min(given.low, 0.0), high=max(given.high, 0.0))
    bias = node.constant(2)
    return contracted(padded, weights.reshape(len(weights), -1).T, 0.0 if bias is None else bias.astype(np.float64))


def normalize(node: Operation) -> Range:
    """Map a channel by the affine function that batch normalization is for inference."""
    scale, bias, mean, variance = (node.constant(i) for i in range(1, 5))
    if scale is None or bias is None or mean is None or variance is None:
        return HEAD
    slope = scale.astype(np.float64) / np.sqrt(variance.astype(np.float64) + float(node.attribute("epsilon", 1e-5)))
    shift, given = bias - slope * mean, node.range().ends_alone
    return hull(*(sum_of(scaled(given, slope[[i]]), _point(shift[i])) for i in range(len(slope))))


def _point(number: float) -> Range:
    return Range(float(number), float(number))


def mean(node: Operation) -> Range:
    """Take the mean of all inputs."""
    return scaled(add(node), np.array([1 / len(node.given)]))


def dequantize(node: Operation) -> Range:
    """Take (x - zero) * scale: what was a score before its quantization is one still."""
    zero, scale = node.constant(2), node.constant(1)
    if scale is None or not math.isfinite(float(np.abs(scale).max(initial=0))):
        return UNKNOWN
    shifted = sum_of(node.range(), negative(node.range(2))) if zero is not None else node.range()
    return replace(scaled(shifted, scale.astype(np.float64)), is_score=node.range().is_score)


def quantize(node: Operation) -> Range:
    zero = node.constant(2)
    kind = np.iinfo(zero.dtype if zero is not None and zero.dtype.kind in "iu" else np.uint8)
    return Range(float(kind.min), float(kind.max), is_whole=True, is_score=node.range().is_score)


RULES: dict[str, RangeRule] = {
    "Add": add,
    "BatchNormalization": normalize,
    "Conv": convolve,
    "ConvInteger": lambda _node: HEAD,
    "ConvTranspose": lambda _node: HEAD,
    "DequantizeLinear": dequantize,
    "Div": divide,
    "DynamicQuantizeLinear": lambda _node: (BYTES, Range(0.0), BYTES),  # numbers, scale, zero
    "Einsum": lambda _node: HEAD,
    "Gemm": gemm,
    "GroupNormalization": lambda _node: HEAD,
    "InstanceNormalization": lambda _node: HEAD,
    "LayerNormalization": lambda _node: HEAD,
    "MatMul": matmul,
    "MatMulInteger": lambda _node: HEAD,
    "Mean": mean,
    "Mul": multiply,
    "Neg": lambda node: negative(node.range()),
    "QLinearConv": lambda _node: HEAD,
    "QLinearMatMul": lambda _node: HEAD,
    "QuantizeLinear": quantize,
    "Reciprocal": lambda node: reciprocal(node.range()),
    "Sub": subtract,
    "Sum": add,
}
