"""Numbers for each class of which the smallest is the best, as the graph shows: distances, losses, rests of shares.

Nothing but the graph tells them from scores, and the largest of them is the class that the file speaks against most.
What a linear layer gives out may be either, so only what is done behind the last of them counts.

length, |a - b|, sum of squares     smallest          -log p, 1 - p           smallest
log p, cosine                       largest           a linear layer, p       unknown: a score
what several nodes make             forms.py
"""

from collections.abc import Callable

from onnx import ModelProto, NodeProto

from models.onnx.graph import ML, ONNX
from models.onnx.outputs import forms
from models.onnx.outputs.preferences import Best, Preferences
from models.onnx.reading.number import ROUNDED


def are_penalties(model: ModelProto, output: str) -> bool:
    """Tell whether the smallest number of an output [N, K] is the best by the graph, whose nodes are in order."""
    known = Preferences(model)
    for node in model.graph.node:
        has_rule = node.op_type in RULES and node.domain in (*ONNX, ML)
        found = RULES[node.op_type](known, node) if has_rule else Best.UNKNOWN
        known.best |= dict.fromkeys(node.output, found)
    return known.best.get(output) is Best.SMALLEST


def _turned(best: Best, sign: int) -> Best:
    return Best(best * sign)


def _same(known: Preferences, node: NodeProto) -> Best:
    """Keep what the first input is: the function rises, or only moves the numbers."""
    return known.of(node.input[0])


def _opposite(known: Preferences, node: NodeProto) -> Best:
    return _turned(known.of(node.input[0]), -1)


def _largest(known: Preferences, node: NodeProto) -> Best:
    del known, node
    return Best.LARGEST


def _length(known: Preferences, node: NodeProto) -> Best:
    return _length_of(known, node.input[0])


def _length_of(known: Preferences, value: str) -> Best:
    """Take a length for a distance, unless it is that of a capsule, which a factor of its own has squashed."""
    return Best.UNKNOWN if known.is_product(value) else Best.SMALLEST


def _reduced(known: Preferences, node: NodeProto) -> Best:
    if pairs := forms.of_pairs(known, node):
        return pairs
    squared = known.squared(node.input[0])
    if squared is not None:
        return _length_of(known, squared)
    form = forms.form_of(known, node.input[0])
    return known.of(node.input[0]) if form is None else _turned(_length_of(known, form[0]), form[1])


def _einsum(known: Preferences, node: NodeProto) -> Best:
    form = forms.einsum(known, node)
    return Best.UNKNOWN if form is None else _turned(_length_of(known, form[0]), form[1])


def _root(known: Preferences, node: NodeProto) -> Best:
    return Best.SMALLEST if known.holds_squares(node.input[0]) else _reduced(known, node)


def _logarithm(known: Preferences, node: NodeProto) -> Best:
    if forms.is_soft_hinge(known, node.input[0]):
        return Best.SMALLEST
    found, span = known.of(node.input[0]), known.range(node.input[0])
    is_share = found is Best.UNKNOWN and span.low >= 0 and span.high <= 1 + ROUNDED
    return Best.LARGEST if is_share else found


def _power(known: Preferences, node: NodeProto) -> Best:
    base, rises = node.input[0], known.sign(node.input[1]) == 1
    return known.of(base) if rises and known.range(base).low >= 0 else Best.UNKNOWN


def _joined(known: Preferences, node: NodeProto) -> Best:
    found = {known.of(value) for value in node.input if not known.is_constant(value)}
    return found.pop() if len(found) == 1 else Best.UNKNOWN


def _larger(known: Preferences, node: NodeProto) -> Best:
    is_bent = len(node.input) == 2 and any(map(known.is_constant, node.input))
    return _joined(known, node) or (forms.bent(known, node) if is_bent else Best.UNKNOWN)


def _sum(one: Best, other: Best) -> Best:
    """Of |a|^2 - 2ab + |b|^2 the graph shows the lengths alone."""
    if {one, other} == {Best.SMALLEST, Best.UNKNOWN}:
        return Best.SMALLEST
    return one if one is other else Best.UNKNOWN


def _added(known: Preferences, node: NodeProto) -> Best:
    one, other = node.input
    if known.is_constant(one) or known.is_constant(other):
        return known.of(other if known.is_constant(one) else one)
    return _sum(known.of(one), known.of(other))


def _subtracted(known: Preferences, node: NodeProto) -> Best:
    one, other = node.input
    if known.is_constant(other):
        return known.of(one)
    found = _turned(known.of(other), -1)
    if not known.is_constant(one):
        return _sum(known.of(one), found)
    is_rest = known.is_one(one) and known.range(other).shares_of is not None
    return Best.SMALLEST if is_rest else found


def _multiplied(known: Preferences, node: NodeProto) -> Best:
    one, other = node.input
    return _turned(known.of(one), known.sign(other)) or _turned(known.of(other), known.sign(one))


def _divided(known: Preferences, node: NodeProto) -> Best:
    one, other = node.input
    return _turned(known.of(one), known.sign(other)) or _turned(known.of(other), -known.sign(one))


def _linear(known: Preferences, node: NodeProto) -> Best:
    """Products with what was divided by its length are cosines."""
    return Best.LARGEST if any(known.is_normed(value) for value in node.input) else Best.UNKNOWN


Rule = Callable[[Preferences, NodeProto], Best]

MOVED = ("Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose", "Expand", "Slice", "Gather")
RISING = ("Normalizer", "TopK", "Exp", "Sigmoid", "Tanh", "ReduceLogSumExp")
RULES: dict[str, Rule] = {
    **dict.fromkeys((*MOVED, *RISING, "ReduceMin"), _same),
    **dict.fromkeys(("Neg", "Reciprocal"), _opposite),
    **dict.fromkeys(("ReduceL1", "ReduceL2", "ReduceSumSquare"), _length),
    **dict.fromkeys(("ReduceSum", "ReduceMean", "ReduceMax"), _reduced),
    **dict.fromkeys(("Concat", "Sum", "Mean", "Min"), _joined),
    **dict.fromkeys(("Relu", "Softplus", "Clip"), forms.bent),
    "Max": _larger,
    "Einsum": _einsum,
    **dict.fromkeys(("MatMul", "Gemm"), _linear),
    "LogSoftmax": _largest,
    "Sqrt": _root,
    "Log": _logarithm,
    "Pow": _power,
    "Add": _added,
    "Sub": _subtracted,
    "Mul": _multiplied,
    "Div": _divided,
}
