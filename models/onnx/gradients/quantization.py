"""Quantization written in standard operators on floating-point numbers, so that substitutes can lead through it.

Numbers stay what they are when they become whole: nothing here is cast. The converter's own QuantizeLinear knows one
range of whole numbers only, and its DequantizeLinear no axis.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto

from models.onnx.graph import ONNX, Editor, attribute, constants, prune

Constants = dict[str, NDArray[Any]]
AXIS = 1  # of scales that are many, where none is named


def in_plain_ops(model: ModelProto) -> None:
    """Replace the quantizing operators, where one scale serves all numbers or all of them are constants."""
    found = [node for node in model.graph.node if node.domain in ONNX and node.op_type in WRITERS]
    editor, known = Editor(model), constants(model.graph)
    for node in found:
        for old, new in zip(node.output, WRITERS[node.op_type](editor, node, known), strict=False):
            editor.feed(old, new)
    if found:
        prune(model, list(model.graph.output))


def _quantized(editor: Editor, node: NodeProto, known: Constants) -> list[str]:
    """y = clip(round(x / scale) + zero point)"""
    scale, zero = known.get(node.input[1]), _zero_point(node, known, np.uint8(0))
    if scale is None or zero is None or scale.size != 1 or scale.dtype != np.float32:
        return []
    return [_clipped(editor, node.input[0], _scalar(editor, scale), _scalar(editor, zero), zero.dtype)]


def _clipped(editor: Editor, value: str, scale: str, zero: str, kind: Any) -> str:
    steps = editor.node("Add", [editor.node("Round", [editor.node("Div", [value, scale])]), zero])
    ends = np.iinfo(kind)
    return _within(editor, steps, ends.min, ends.max)


def _within(editor: Editor, value: str, low: float, high: float) -> str:
    above = editor.node("Max", [value, _scalar(editor, np.float32(low))])
    return editor.node("Min", [above, _scalar(editor, np.float32(high))])


def _dequantized(editor: Editor, node: NodeProto, known: Constants) -> list[str]:
    """y = (x - zero point) scale: of constants computed here, along their axis."""
    scale, zero, value = known.get(node.input[1]), _zero_point(node, known, np.int8(0)), known.get(node.input[0])
    if scale is None or zero is None or scale.dtype != np.float32 or attribute(node, "block_size", 0):
        return []
    if value is not None:
        axes = [1] * value.ndim
        if scale.size > 1:
            axes[attribute(node, "axis", AXIS)] = -1
        numbers = (value.astype(np.float32) - zero.astype(np.float32).reshape(axes)) * scale.reshape(axes)
        return [editor.constant(numbers.reshape(value.shape).astype(np.float32), "dequantized")]
    if scale.size != 1:
        return []
    number = editor.node("Cast", [node.input[0]], to=TensorProto.FLOAT)
    return [editor.node("Mul", [editor.node("Sub", [number, _scalar(editor, zero)]), _scalar(editor, scale)])]


def _dynamic(editor: Editor, node: NodeProto, known: Constants) -> list[str]:
    """By the least and the largest number of a call, and 0: y, scale, zero point."""
    del known
    x, none = node.input[0], _scalar(editor, np.float32(0))
    high = editor.node("Max", [editor.node("ReduceMax", [x], keepdims=0), none])
    low = editor.node("Min", [editor.node("ReduceMin", [x], keepdims=0), none])
    scale = editor.node("Div", [editor.node("Sub", [high, low]), _scalar(editor, np.float32(255))])
    zero = _within(editor, editor.node("Round", [editor.node("Div", [editor.node("Neg", [low]), scale])]), 0, 255)
    return [_clipped(editor, x, scale, zero, np.uint8), scale, zero]


def _zero_point(node: NodeProto, known: Constants, default: np.integer[Any]) -> NDArray[Any] | None:
    if len(node.input) < 3 or not node.input[2]:
        return np.asarray(default)
    zero = known.get(node.input[2])
    return zero if zero is not None and zero.dtype.kind in "iu" else None


def _scalar(editor: Editor, number: Any) -> str:
    return editor.constant(np.asarray(number, np.float32).reshape(()), "number")


WRITERS: dict[str, Callable[[Editor, NodeProto, Constants], list[str]]] = {
    "QuantizeLinear": _quantized,
    "DequantizeLinear": _dequantized,
    "DynamicQuantizeLinear": _dynamic,
}
