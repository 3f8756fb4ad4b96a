"""Losses and distances that are made of several nodes, or of one Einsum: whose smallest number is the best.

softplus(-z), log(1 + e^-z), max(0, 1 - z)      what is left to a margin, for each class by itself
sum_j max(0, 1 + z_j - z_k)                     the same against all others (Crammer and Singer 2001)
d' P d                                          a distance, where P is positive definite
"""

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from models.onnx.graph import attribute
from models.onnx.outputs.preferences import Best, Preferences

BENT = ("Relu", "Softplus", "Clip", "Max")


def bent(known: Preferences, node: NodeProto) -> Best:
    """Take a rising bend of a number that was turned round for what is left to a margin; else it changes nothing."""
    found = known.of(node.input[0])
    others = [value for value in node.input[1:] if value]
    is_bent = node.op_type != "Clip" or len(others) == 1
    is_turned = is_bent and any(_is_turned(known, value) for value in node.input if value)
    return Best.SMALLEST if found is Best.UNKNOWN and is_turned else found


def _is_turned(known: Preferences, value: str) -> bool:
    """Whether a value is c - z, or z times a negative constant, of a z that may be anything."""
    maker = known.maker(value)
    if maker is None:
        return False
    match maker.op_type, list(maker.input):
        case "Neg", [z]:
            turned = z
        case "Sub", [c, z] if known.is_constant(c):
            turned = z
        case "Mul" | "Div", [z, c] if known.sign(c) == -1:
            turned = z
        case "Mul", [c, z] if known.sign(c) == -1:
            turned = z
        case "Add", [one, other]:
            kept = [each for each in (one, other) if not known.is_constant(each)]
            return len(kept) == 1 and _is_turned(known, kept[0])
        case _:
            return False
    return known.of(turned) is Best.UNKNOWN and known.range(turned).low == -np.inf and len(_terms(known, turned)) == 1


def is_soft_hinge(known: Preferences, value: str) -> bool:
    """Tell whether a value is 1 + e^-z, whose logarithm is softplus(-z)."""
    maker = known.maker(value)
    if maker is None or maker.op_type != "Add" or not any(map(known.is_one, maker.input)):
        return False
    powers = [known.maker(each) for each in maker.input if not known.is_constant(each)]
    return any(each is not None and each.op_type == "Exp" and _is_turned(known, each.input[0]) for each in powers)


def of_pairs(known: Preferences, node: NodeProto) -> Best:
    """Tell of a sum over all pairs z_j - z_k, bent, whether the class that is left is k (a hinge) or j."""
    value, was_bent = node.input[0], False
    while (maker := known.maker(value)) is not None and maker.op_type in (*BENT, "Mul"):
        kept = [each for each in maker.input if each and not known.is_constant(each)]
        if len(kept) != 1:
            return Best.UNKNOWN
        value, was_bent = kept[0], was_bent or maker.op_type in BENT
    terms = _terms(known, value)
    left = {1, 2} - {axis % 3 for axis in _axes(known, node)}
    if not was_bent or len(terms) != 2 or len(left) != 1:
        return Best.UNKNOWN
    (more, one), (less, other) = ((sign, _along(known, each)) for sign, each in terms)
    if one is None or other is None or one[0] != other[0] or one[1] == other[1] or more == less:
        return Best.UNKNOWN
    (axis,) = left
    sign = more if axis == one[1] else less
    return Best.LARGEST if sign == 1 else Best.SMALLEST


def _terms(known: Preferences, value: str, sign: int = 1) -> list[tuple[int, str]]:
    """(sign, value) of each part of a sum that is no constant."""
    maker = known.maker(value)
    if known.is_constant(value):
        return []
    if maker is not None and maker.op_type == "Neg":
        return _terms(known, maker.input[0], -sign)
    if maker is not None and maker.op_type in ("Add", "Sub"):
        other = -sign if maker.op_type == "Sub" else sign
        return [*_terms(known, maker.input[0], sign), *_terms(known, maker.input[1], other)]
    return [(sign, value)]


def _along(known: Preferences, value: str) -> tuple[object, int] | None:
    """(what made z, the axis along which its classes lie) of scores (N, K) made (N, 1, K) or (N, K, 1)."""
    maker = known.maker(value)
    if maker is None or maker.op_type != "Unsqueeze":
        return None
    axes = [axis % 3 for axis in _axes(known, maker)]
    z = known.maker(maker.input[0])
    made = maker.input[0] if z is None else (z.op_type, *z.input)
    return (made, 3 - axes[0]) if axes in ([1], [2]) else None


def _axes(known: Preferences, node: NodeProto) -> list[int]:
    if len(node.input) > 1:
        found = known.constant(node.input[1])
        return [] if found is None else [int(axis) for axis in found.reshape(-1)]
    return list(attribute(node, "axes", []))


def form_of(known: Preferences, value: str) -> tuple[str, int] | None:
    """(d, sign) of d * (d P), number by number, whose sum is d' P d."""
    maker = known.maker(value)
    if maker is None or maker.op_type != "Mul":
        return None
    for product, d in (maker.input, reversed(maker.input)):
        made = known.maker(_unmoved(known, product))
        if made is not None and made.op_type == "MatMul" and _unmoved(known, made.input[0]) == d:
            matrix = known.constant(made.input[1])
            return None if matrix is None else (d, _definite(matrix))
    return None


def _unmoved(known: Preferences, value: str) -> str:
    """Name what a value was before it got another shape."""
    while (maker := known.maker(value)) is not None and maker.op_type in ("Squeeze", "Unsqueeze", "Reshape", "Gather"):
        value = maker.input[0]
    return value


def einsum(known: Preferences, node: NodeProto) -> tuple[str, int] | None:
    """(d, sign) of an Einsum that is d' d or d' P d for each class."""
    terms, _, result = str(attribute(node, "equation", b"").decode()).replace(" ", "").partition("->")
    parts = dict(zip(node.input, [""] * len(node.input), strict=True))
    letters = terms.split(",")
    twice = [value for value in parts if list(node.input).count(value) == 2]
    if len(twice) != 1 or len(letters) != len(node.input):
        return None
    one, other = (at for value, at in zip(node.input, letters, strict=True) if value == twice[0])
    rest = [(value, at) for value, at in zip(node.input, letters, strict=True) if value != twice[0]]
    if not rest:
        return (twice[0], 1) if one == other and set(one) > set(result) else None
    own, others = set(one) - set(other), set(other) - set(one)
    matrix = known.constant(rest[0][0])
    if len(rest) != 1 or len(own) != 1 or len(others) != 1 or matrix is None or (own | others) & set(result):
        return None
    axes = [rest[0][1].find(letter) for letter in (own.pop(), others.pop())]
    return None if -1 in axes else (twice[0], _definite(np.moveaxis(matrix, axes, (-2, -1))))


def _definite(matrices: NDArray[np.floating]) -> int:
    """1 where all of (..., n, n) are positive definite, -1 where all are negative, 0 otherwise."""
    if matrices.ndim < 2 or matrices.shape[-1] != matrices.shape[-2] or not np.isfinite(matrices).all():
        return 0
    values = np.linalg.eigvalsh(matrices.astype(np.float64) + np.swapaxes(matrices.astype(np.float64), -1, -2))
    return 1 if (values > 0).all() else -1 if (values < 0).all() else 0
