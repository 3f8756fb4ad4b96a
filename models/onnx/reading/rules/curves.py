"""Functions of one number: monotone ones take ends to ends, others map into a known interval."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.onnx.reading.operation import Operation, RangeRule
from models.onnx.reading.ranges import INF, UNKNOWN, Range, times


def rising(function: Callable[[float], float]) -> RangeRule:
    """Make the rule of a function that never falls."""

    def rule(node: Operation) -> Range:
        given = node.range()
        return given.mapped(function(given.low), function(given.high))

    return rule


def between(low: float, high: float, *, is_whole: bool = False) -> RangeRule:
    """Make the rule of a function that answers between two ends, whatever it is given."""
    return lambda _node: Range(low, high, is_whole=is_whole)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def exp(x: float) -> float:
    return math.exp(x) if x < 700 else INF


def log(x: float) -> float:
    return math.log(x) if x > 0 else -INF


def softplus(x: float) -> float:
    return x if x > 30 else math.log1p(exp(x))


def root(x: float) -> float:
    return math.sqrt(max(x, 0.0))


def softsign(x: float) -> float:
    return math.copysign(1.0, x) if math.isinf(x) else x / (1 + abs(x))


def elu(node: Operation) -> Range:
    given, alpha = node.range(), float(node.attribute("alpha", 1.0))
    low, high = (end if end > 0 else alpha * math.expm1(end) for end in (given.low, given.high))
    return given.mapped(low, high)


def leaky_relu(node: Operation) -> Range:
    return _bent(node.range(), np.array([node.attribute("alpha", 0.01)], np.float64))


def prelu(node: Operation) -> Range:
    slopes = node.constant(1)
    return UNKNOWN if slopes is None or not slopes.size else _bent(node.range(), slopes.astype(np.float64))


def _bent(given: Range, slopes: NDArray[np.float64]) -> Range:
    """Keep what is above 0, and multiply what is below it by any of the slopes."""
    ends = [times(x, s) if x < 0 else x for x in (given.low, given.high) for s in (slopes.min(), slopes.max())]
    knee = [0.0] if given.low < 0 < given.high else []
    return given.mapped(min(ends + knee), max(ends + knee))


def dips(least: float) -> RangeRule:
    """Make the rule of a function that follows positive numbers and dips to `least` for negative ones."""
    return lambda node: node.range().mapped(least, max(node.range().high, 0.0))


def clip(node: Operation) -> Range:
    """Cut off at constants: inputs of newer opsets, or attributes."""
    ends = [node.attribute("min", -INF), node.attribute("max", INF)]
    for i in (1, 2):
        if node.name(i):
            end = node.range(i)
            ends[i - 1] = (end.low, end.high)[i - 1]
    found = node.range().within(*ends)
    return node.range().mapped(found.low, found.high)


def absolute(node: Operation) -> Range:
    given = node.range()
    if given.low >= 0:
        return given
    return given.mapped(0.0 if given.high > 0 else -given.high, max(-given.low, given.high))


def power(node: Operation) -> Range:
    given, exponent = node.range(), node.constant(1)
    if exponent is None or exponent.size != 1:
        return UNKNOWN
    e = float(exponent.reshape(()))
    if given.low >= 0:
        ends = [_raised(end, e) for end in (given.low, given.high)]
        return given.mapped(min(ends), max(ends))
    if e > 0 and e % 2 == 1:
        return given.mapped(-_raised(-given.low, e), math.copysign(_raised(abs(given.high), e), given.high))
    if e == np.floor(e):
        return given.mapped(0.0 if e % 2 == 0 else -INF, INF)
    return UNKNOWN


def _raised(base: float, e: float) -> float:
    """Raise what is not negative; what float64 cannot hold is unbounded."""
    return float(np.power(np.float64(base), e))


def whole(function: Callable[[float], float]) -> RangeRule:
    """Make the rule of a rounding."""

    def rule(node: Operation) -> Range:
        given = node.range()
        low, high = (end if math.isinf(end) else function(end) for end in (given.low, given.high))
        return given.mapped(low, high, is_whole=True)

    return rule


RULES: dict[str, RangeRule] = {
    "Abs": absolute,
    "Atan": between(-math.pi / 2, math.pi / 2),
    "Ceil": whole(math.ceil),
    "Celu": elu,
    "Clip": clip,
    "Cos": between(-1, 1),
    "Elu": elu,
    "Erf": rising(math.erf),
    "Exp": rising(exp),
    "Floor": whole(math.floor),
    "Gelu": dips(-0.2),
    "HardSigmoid": between(0, 1),
    "HardSwish": dips(-0.5),
    "LeakyRelu": leaky_relu,
    "Log": rising(log),
    "Mish": dips(-0.4),
    "Pow": power,
    "PRelu": prelu,
    "Relu": rising(lambda x: max(x, 0.0)),
    "Round": whole(round),
    "Sigmoid": rising(sigmoid),
    "Sign": between(-1, 1, is_whole=True),
    "Sin": between(-1, 1),
    "Softplus": rising(softplus),
    "Softsign": rising(softsign),
    "Sqrt": rising(root),
    "Tanh": rising(math.tanh),
    **dict.fromkeys(
        ("And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "Or", "Xor"),
        between(0, 1, is_whole=True),
    ),
}
