"""One column of a soft-max: which one a node cuts out, and the logits of it and of the others."""

import numpy as np
from onnx import NodeProto

from models.onnx.graph import ML, ONNX, Editor, attribute, opset
from models.onnx.rebuilding.tails import View, passes_on, shape_of, softmax_of


def cut_out(view: View, node: NodeProto) -> tuple[str, int, int] | None:
    """Find the logits [N, K] of a soft-max of which `node` cuts out one column, that column, and K."""
    position = _position(view, node)
    if position is None:
        return None
    inner = view.any_maker(node.input[0])
    while inner is not None and inner.op_type in ("Identity", "Dropout", "Cast") and passes_on(inner):
        inner = view.any_maker(inner.input[0])
    z = softmax_of(view, inner) if inner is not None and inner.domain in ONNX else None
    shape = None if z is None else shape_of(view.editor.model, z)
    if z is None or shape is None or len(shape) != 2 or shape[1] < 2 or not -shape[1] <= position < shape[1]:
        return None
    return z, position % shape[1], shape[1]


def _position(view: View, node: NodeProto) -> int | None:
    """Which column of [N, K] a Gather, Slice or ArrayFeatureExtractor cuts out; None where it is not one."""
    if (node.domain, node.op_type) == (ML, "ArrayFeatureExtractor"):
        return _only(view, node.input[1])
    if node.domain not in ONNX:
        return None
    if node.op_type == "Gather" and attribute(node, "axis", 0) in (1, -1):
        return _only(view, node.input[1])
    if node.op_type == "Slice":
        return _sliced(view, node)
    return None


def _only(view: View, name: str) -> int | None:
    found = view.value(name)
    return None if found is None or found.size != 1 else int(found.reshape(()))


def _sliced(view: View, node: NodeProto) -> int | None:
    """The start, where the end lies one behind: of one axis, the second, by a step of one."""
    given = [attribute(node, name, None) for name in ("starts", "ends", "axes")]
    if len(node.input) > 1:
        read = [view.value(name) for name in node.input[1:]]
        if len(read) < 3 or any(each is None for each in read):
            return None
        given = [each.ravel().tolist() for each in read if each is not None]
    if any(each is None or len(each) != 1 for each in given):
        return None
    (start,), (end,), (axis,), *steps = given
    if axis not in (1, -1) or any(step[0] != 1 for step in steps):
        return None
    reaches_end = start == -1 and end > 2**30
    return int(start) if end == start + 1 or reaches_end else None


def others_than(editor: Editor, z: str, position: int, count: int) -> str:
    """Cut out all columns of [N, `count`] but one."""
    parts = [(0, position), (position + 1, count)]
    found = [columns(editor, z, start, end) for start, end in parts if end > start]
    return found[0] if len(found) == 1 else editor.node("Concat", found, axis=1)


def columns(editor: Editor, z: str, start: int, end: int) -> str:
    """Cut columns out of [N, K]."""
    if opset(editor.model) < 10:
        return editor.node("Slice", [z], starts=[start], ends=[end], axes=[1])
    numbers = [editor.constant(np.array([each], np.int64), "cut") for each in (start, end, 1)]
    return editor.node("Slice", [z, *numbers])


def log_sum_exp(editor: Editor, z: str) -> str:
    """Make [N, 1] of [N, K]: the log of the sum of the exponentials."""
    if opset(editor.model) < 18:
        return editor.node("ReduceLogSumExp", [z], axes=[1], keepdims=1)
    return editor.node("ReduceLogSumExp", [z, editor.constant(np.array([1], np.int64), "axes")], keepdims=1)
