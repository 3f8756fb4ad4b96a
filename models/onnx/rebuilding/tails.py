"""Soft-max and sigmoid at the end of a graph: find them, and lead round them to the logits before.

Attacks and CLEVER want logits: a soft-max saturates, and its gradients vanish in float32. Both functions keep the order
of a row's classes, so the logits decide alike.

    ... z -> Softmax -> Reshape -> output        becomes, beside it,        ... z -> Reshape -> logits
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto

from models.onnx.graph import ONNX, Editor, attribute, constants, opset, producers
from models.onnx.rebuilding import linear_classifiers
from models.onnx.rebuilding.widening import pad_zero_column

LINKS = ("Identity", "Dropout", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze")
FLOAT_TYPES = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


TailKind = Literal["logits", "probabilities"]  # what the file's own output is
# What float32 leaves of the order of a row's logits. `row`: all that is more than rounding, since the largest is taken
# off before exp. `number`: nothing where two numbers both round to 1, or to 0. `bare`: nothing where exp overflows.
Squash = Literal["row", "number", "bare"]


@dataclass(frozen=True)
class Tail:
    logits: str  # value that holds the logits, in the shape of the output
    kind: TailKind
    squash: Squash


def lead_round(editor: Editor, output: str) -> Tail | None:
    """Add what is needed to read the logits behind `output`; None where no known tail is found."""
    whole = None
    while (found := _peel(editor, whole.logits if whole else output)) is not None:
        whole = Tail(found.logits, whole.kind, "number") if whole else found  # two in a row: one squashes the other's
    return whole


def _peel(editor: Editor, name: str) -> Tail | None:
    view = View(editor)
    chain: list[NodeProto] = []
    while (node := view.any_maker(name)) is not None and passes_on(node):
        chain.append(node)
        name = node.input[0]
    if node is None:
        return None
    flat = all(link.op_type in ("Identity", "Dropout", "Cast") for link in chain)
    for rule, kind, squash in RULES if node.domain in ONNX else LEARNED:
        before = rule(view, node, flat)
        if before is not None:
            for link in reversed(chain):
                before = editor.copy(link, before)
            return Tail(before, kind, squash)
    return None


def passes_on(node: NodeProto) -> bool:
    """Tell whether a node only reshapes or casts its numbers."""
    if node.op_type == "Cast" and attribute(node, "to", 0) not in FLOAT_TYPES:
        return False
    return node.op_type in LINKS and node.domain in ONNX


class View:
    """A view answers read-only questions about a graph as it stands."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self._makers = producers(editor.graph)
        self._known: dict[str, NDArray[Any]] | None = None

    def maker(self, name: str, *ops: str) -> NodeProto | None:
        """The standard node that makes this value, if it is one of `ops` (any, where none is named)."""
        node = self._makers.get(name)
        if node is None or node.domain not in ONNX or (ops and node.op_type not in ops):
            return None
        return node

    def any_maker(self, name: str) -> NodeProto | None:
        return self._makers.get(name)

    def value(self, name: str) -> NDArray[Any] | None:
        if self._known is None:
            self._known = constants(self.editor.graph)
        return self._known.get(name)

    def is_one(self, name: str) -> bool:
        value = self.value(name)
        return value is not None and value.size == 1 and float(value.reshape(())) == 1.0

    def is_row_wise(self, node: NodeProto, flat: bool) -> bool:
        """Tell whether a soft-max runs over all of a row: over axis 1 of [N, K], or of [N, K, 1, ...]."""
        newest = opset(self.editor.model) >= 13
        axis = attribute(node, "axis", -1 if newest else 1)
        if flat:
            return axis in (1, -1)
        if not newest:
            return bool(axis == 1)  # before opset 13: over everything from this axis on
        shape = shape_of(self.editor.model, node.input[0])
        if shape is None:
            return False
        return axis != 0 and all(size == 1 for i, size in enumerate(shape) if i not in (0, axis % len(shape)))

    def sums_a_row(self, node: NodeProto) -> bool:
        """Tell whether a ReduceSum or ReduceMax runs over the classes of [N, K], the axis kept."""
        axes = attribute(node, "axes", None)
        if axes is None and len(node.input) > 1:
            known = self.value(node.input[1])
            axes = None if known is None else known.tolist()
        return axes in ([1], [-1]) and attribute(node, "keepdims", 1) == 1


def shape_of(model: ModelProto, name: str) -> list[int] | None:
    """Find the shape of a value, 0 for an axis of any size; None where it cannot be inferred."""
    inferred = onnx.shape_inference.infer_shapes(model)
    for value in inferred.graph.value_info:
        if value.name == name and value.type.tensor_type.HasField("shape"):
            return [d.dim_value for d in value.type.tensor_type.shape.dim]
    return None


def softmax_of(view: View, node: NodeProto) -> str | None:
    """Name the logits [N, K] before a node that is the soft-max of each row, or the last step of one."""
    return _softmax(view, node, True)


def sigmoid_of(view: View, node: NodeProto) -> str | None:
    """Name what a node, or the steps of which it is the last, takes the sigmoid of."""
    return _sigmoid(view, node, True)


def _softmax(view: View, node: NodeProto, flat: bool) -> str | None:
    if node.op_type == "Softmax" and view.is_row_wise(node, flat):
        return str(node.input[0])
    return _exp_over_sum(view, node, shifted=True) if flat else None


def _bare_softmax(view: View, node: NodeProto, flat: bool) -> str | None:
    return _exp_over_sum(view, node, shifted=False) if flat else None


def _exp_over_sum(view: View, node: NodeProto, *, shifted: bool) -> str | None:
    """exp(a) / sum(exp(a)), with or without a = x - max(x)."""
    if node.op_type != "Div":
        return None
    top, bottom = view.maker(node.input[0], "Exp"), view.maker(node.input[1], "ReduceSum")
    if top is None or bottom is None or bottom.input[0] != top.output[0] or not view.sums_a_row(bottom):
        return None
    less = view.maker(top.input[0], "Sub")
    if less is not None:
        peak = view.maker(less.input[1], "ReduceMax")
        if peak is not None and peak.input[0] == less.input[0] and view.sums_a_row(peak):
            return str(less.input[0]) if shifted else None
    return None if shifted else str(top.input[0])


def _log_softmax(view: View, node: NodeProto, flat: bool) -> str | None:
    if node.op_type == "LogSoftmax" and view.is_row_wise(node, flat):
        return str(node.input[0])
    inner = view.maker(node.input[0]) if node.op_type == "Log" else None
    return _softmax(view, inner, flat) if inner is not None else None


def _log_bare_softmax(view: View, node: NodeProto, flat: bool) -> str | None:
    inner = view.maker(node.input[0]) if node.op_type == "Log" else None
    return _bare_softmax(view, inner, flat) if inner is not None else None


def _sigmoid(view: View, node: NodeProto, _flat: bool) -> str | None:
    """Sigmoid, or 1 / (1 + exp(-z))."""
    if node.op_type == "Sigmoid":
        return str(node.input[0])
    if node.op_type == "Reciprocal":
        below: str = node.input[0]
    elif node.op_type == "Div" and view.is_one(node.input[0]):
        below = node.input[1]
    else:
        return None
    added = view.maker(below, "Add")
    if added is None:
        return None
    for one, other in (added.input, reversed(added.input)):
        power = view.maker(other, "Exp")
        negative = view.maker(power.input[0], "Neg") if power is not None and view.is_one(one) else None
        if negative is not None:
            return str(negative.input[0])
    return None


def _both_sides(view: View, node: NodeProto, _flat: bool) -> str | None:
    """[1 - p, p] with p = sigmoid(z) of shape [N, 1], as scikit-learn writes two classes: logits [0, z]."""
    if node.op_type != "Concat" or len(node.input) != 2 or attribute(node, "axis", 0) not in (1, -1):
        return None
    first, second = node.input
    rest, yes = view.maker(first, "Sub"), view.maker(second)
    if rest is None or yes is None or rest.input[1] != second or not view.is_one(rest.input[0]):
        return None
    z = _sigmoid(view, yes, True)
    return None if z is None else pad_zero_column(view.editor, z)


def _linear_scores(view: View, node: NodeProto, _flat: bool) -> str | None:
    """scikit-learn's LinearClassifier without a transform."""
    linear = linear_classifiers.is_linear(node, node.output[-1]) and linear_classifiers.gives(node) == "logits"
    return linear_classifiers.logits(view.editor, node) if linear else None


def _linear_probabilities(view: View, node: NodeProto, _flat: bool) -> str | None:
    """The same with a soft-max, or two sigmoids of one number; a Normalizer behind a soft-max changes nothing."""
    name, source = node.output[-1], node
    if node.op_type == "Normalizer" and attribute(node, "norm", b"MAX") == b"L1":
        name = node.input[0]
        made = view.any_maker(name)
        if made is None or attribute(made, "post_transform", b"NONE") != b"SOFTMAX":
            return None
        source = made
    linear = linear_classifiers.is_linear(source, name) and linear_classifiers.sums_to_one(source)
    return linear_classifiers.logits(view.editor, source) if linear else None


def _linear_sigmoids(view: View, node: NodeProto, _flat: bool) -> str | None:
    """The same with a sigmoid for each class."""
    return linear_classifiers.logits(view.editor, node) if linear_classifiers.is_linear(node, node.output[-1]) else None


TailRule = Callable[[View, NodeProto, bool], str | None]
RULES: tuple[tuple[TailRule, TailKind, Squash], ...] = (
    (_softmax, "probabilities", "row"),
    (_log_softmax, "logits", "row"),
    (_bare_softmax, "probabilities", "bare"),
    (_log_bare_softmax, "logits", "bare"),
    (_sigmoid, "probabilities", "number"),
    (_both_sides, "probabilities", "row"),
)
LEARNED: tuple[tuple[TailRule, TailKind, Squash], ...] = (  # operators of ai.onnx.ml
    (_linear_scores, "logits", "row"),
    (_linear_probabilities, "probabilities", "row"),
    (_linear_sigmoids, "probabilities", "number"),
)
