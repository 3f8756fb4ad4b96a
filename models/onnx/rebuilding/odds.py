"""The logit behind one probability a row: a number that is above 0 where the probability is above 1/2.

Affine maps by constants are undone until a sigmoid, a tanh or an erf is met, or a column cut out of a soft-max. Scores
made so do not saturate, as the probability does.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from onnx import NodeProto

from models.onnx.graph import ONNX, Editor
from models.onnx.rebuilding.columns import columns, cut_out, log_sum_exp, others_than
from models.onnx.rebuilding.tails import View, passes_on, sigmoid_of
from models.onnx.rebuilding.widening import Precision, column, held, pad_zero_column

# A margin of logits that no soft-max or sigmoid in float32 rounds to a tie: of the largest p and another, at most as
# large, the ratio is exp(-margin), off by a few roundings (2^-24) of exp, sum and quotient; a sigmoid of onnxruntime is
# off by 4e-7 where its slope is 1/4.
SHOWN = 1e-5
ROUNDING = 2.0**-22  # of a number that an affine map made, four roundings


@dataclass(frozen=True)
class _Curve:
    """A squashing function answers `t` between its ends where `inverse(t)` is given, with this slope there."""

    low: float
    high: float
    inverse: Callable[[float], float]
    slope: Callable[[float], float]
    error: float  # of onnxruntime in float32, at the most


CURVES = {
    "Sigmoid": _Curve(0.0, 1.0, lambda t: math.log(t / (1 - t)), lambda t: t * (1 - t), 4e-7),
    "Tanh": _Curve(-1.0, 1.0, math.atanh, lambda t: 1 - t * t, 1e-6),
    "Erf": _Curve(0.0, 0.0, lambda _t: 0.0, lambda _t: 2 / math.sqrt(math.pi), 1e-6),  # undone at 0 alone
}


@dataclass(frozen=True)
class Odds:
    """Odds are scores [N, 2] that decide as the probability does."""

    scores: str
    slack: float | None  # a margin of them that the probability shows in float32 too; None: there is none


@dataclass(frozen=True)
class _Half:
    """Class 1 is where `value` lies above `at`, or below where the `gain`, its slope toward the output, is negative."""

    value: str
    at: float = 0.5
    gain: float = 1.0
    rounding: float = ROUNDING / 2  # of the output, first order, near 1/2


def odds(editor: Editor, output: str, number: Precision) -> Odds | None:
    """Add the scores behind `output`, one probability a row, held in `number`; None where they are not found."""
    view, half = View(editor), _Half(output)
    while (node := view.any_maker(half.value)) is not None:
        if passes_on(node):
            half = replace(half, value=str(node.input[0]))
        elif (cut := cut_out(view, node)) is not None:
            return _of_column(editor, half, number, *cut) if half.at == 0.5 else None
        elif (squashed := _curve(view, node)) is not None:
            return _of_curve(editor, half, number, *squashed)
        elif (before := _undone(view, node, half)) is not None:
            half = before
        else:
            return None
    return None


def _undone(view: View, node: NodeProto, half: _Half) -> _Half | None:
    """An affine map by one constant, undone."""
    if node.domain not in ONNX:
        return None
    if node.op_type == "Neg":
        return replace(half, value=str(node.input[0]), at=-half.at, gain=-half.gain)
    if node.op_type not in ("Add", "Sub", "Mul", "Div"):
        return None
    for i in (0, 1):
        constant = view.value(node.input[1 - i])
        if constant is None or constant.size != 1 or view.value(node.input[i]) is not None:
            continue
        c, value = float(constant.reshape(())), str(node.input[i])
        if node.op_type in ("Add", "Sub"):
            sign = -1.0 if node.op_type == "Sub" and i == 1 else 1.0
            at = {("Add", 0): half.at - c, ("Add", 1): half.at - c, ("Sub", 0): half.at + c}.get(
                (node.op_type, i), c - half.at
            )
            return _less(half, value, at, half.gain * sign)
        if c == 0 or (node.op_type == "Div" and i == 1):
            return None
        factor = c if node.op_type == "Mul" else 1 / c
        return _less(half, value, half.at / factor, half.gain * factor)
    return None


def _less(half: _Half, value: str, at: float, gain: float) -> _Half:
    return _Half(value, at, gain, half.rounding + ROUNDING * abs(gain * at))


def _curve(view: View, node: NodeProto) -> tuple[str, str] | None:
    """-> (its name, what it squashes)"""
    before = sigmoid_of(view, node) if node.domain in ONNX else None
    if before is not None:
        return "Sigmoid", before
    known = node.domain in ONNX and node.op_type in CURVES
    return (node.op_type, str(node.input[0])) if known else None


def _of_curve(editor: Editor, half: _Half, number: Precision, name: str, z: str) -> Odds | None:
    curve = CURVES[name]
    if not (curve.low < half.at < curve.high or curve.low == half.at == curve.high):
        return None
    at = curve.inverse(half.at)
    logit = column(editor, held(editor, z, number))
    if at:
        logit = editor.node("Sub", [logit, editor.constant(np.full((1, 1), at, number), "at")])
    if half.gain < 0:
        logit = editor.node("Neg", [logit])
    shown, error = SHOWN * curve.slope(half.at), curve.error
    is_shown = at == 0 and abs(half.gain) * (shown - 4 * error) > 4 * half.rounding
    return Odds(pad_zero_column(editor, logit), SHOWN if is_shown else None)


def _of_column(editor: Editor, half: _Half, number: Precision, z: str, position: int, count: int) -> Odds:
    """Of two classes the logits themselves; of more, one against the log of the sum of the others' exponentials."""
    z = held(editor, z, number)
    own, others = columns(editor, z, position, position + 1), others_than(editor, z, position, count)
    if count > 2:
        others = log_sum_exp(editor, others)
    pair = [others, own] if half.gain > 0 else [own, others]
    is_plain = abs(half.gain) == 1.0 and count == 2
    return Odds(editor.node("Concat", pair, axis=1), SHOWN if is_plain else None)
