"""Operators of ai.onnx.ml: linear models, trees and machines that end in a transform of their own."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.onnx.reading.operation import Operation, RangeRule
from models.onnx.reading.ranges import UNKNOWN, Range, contracted
from models.onnx.reading.rules.affine import HEAD
from models.onnx.reading.rules.selection import gathered

LABEL = replace(UNKNOWN, is_whole=True)


def regressor(node: Operation) -> Range:
    return _transformed(node, _linear(node))


def classifier(node: Operation) -> tuple[Range, ...]:
    return LABEL, _transformed(node, _linear(node))


def _linear(node: Operation) -> Range:
    """Multiply by coefficients, one row of them a class, and add intercepts."""
    coefficients, width = _array(node, "coefficients"), node.width()
    if not coefficients.size or width is None or coefficients.size % width:
        return HEAD
    intercepts = _array(node, "intercepts")
    return contracted(node.range(), coefficients.reshape(-1, width).T, intercepts if intercepts.size else 0.0)


def machine(node: Operation) -> tuple[Range, ...]:
    """Give probabilities where a support vector machine learned Platt's scaling."""
    return LABEL, Range(0.0, 1.0) if node.attribute("prob_a", []) else _transformed(node, UNKNOWN)


def tree_regressor(node: Operation) -> Range:
    return _transformed(node, _leaves(node, "target"))


def tree_classifier(node: Operation) -> tuple[Range, ...]:
    return LABEL, _transformed(node, _leaves(node, "class"))


def normalizer(node: Operation) -> Range:
    """Divide by the largest, the sum or the length of a row; the largest may be small where others are negative."""
    if node.range().low >= 0:
        return Range(0.0, 1.0)
    return UNKNOWN if node.attribute("norm", b"MAX") == b"MAX" else Range(-1.0, 1.0)


def _transformed(node: Operation, before: Range) -> Range:
    transform = node.attribute("post_transform", b"NONE")
    if transform == b"NONE":
        return before
    return Range(0.0, 1.0) if transform in (b"LOGISTIC", b"SOFTMAX", b"SOFTMAX_ZERO", b"PROBIT") else UNKNOWN


def _leaves(node: Operation, of: str) -> Range:
    """Each tree adds one of its leaves: between the sums of the smallest and of the largest ones."""
    weights = _array(node, f"{of}_weights")
    if not weights.size or node.attribute("aggregate_function", b"SUM") not in (b"SUM", b"AVERAGE"):
        return UNKNOWN
    trees, ids = _array(node, f"{of}_treeids").astype(int), _array(node, f"{of}_ids").astype(int)
    base = _array(node, "base_values")
    low, high = (float(base.min()), float(base.max())) if base.size else (0.0, 0.0)
    count = len(np.unique(trees))
    if node.attribute("aggregate_function", b"SUM") == b"AVERAGE":
        weights = weights / count
    ends = [
        _sums(weights[ids == each], trees[ids == each], has_all=len(np.unique(ids)) == 1) for each in np.unique(ids)
    ]
    least, most = min(end[0] for end in ends), max(end[1] for end in ends)
    if of == "class" and len(ends) == 1:  # one column of two: the other is its rest
        least, most = min(least, 1 - most), max(most, 1 - least)
    return Range(low + least, high + most)


def _sums(weights: NDArray[Any], trees: NDArray[Any], *, has_all: bool) -> tuple[float, float]:
    """Over trees, the smallest and the largest leaf; a leaf that does not name a class adds zero to it."""
    ends = [(float(own.min()), float(own.max())) for own in (weights[trees == tree] for tree in np.unique(trees))]
    if not has_all:
        ends = [(min(low, 0.0), max(high, 0.0)) for low, high in ends]
    return sum(low for low, _ in ends), sum(high for _, high in ends)


def _array(node: Operation, name: str) -> NDArray[Any]:
    return np.asarray(node.attribute(name, []), np.float64)


RULES: dict[str, RangeRule] = {
    "ArrayFeatureExtractor": gathered,
    "LinearClassifier": classifier,
    "LinearRegressor": regressor,
    "Normalizer": normalizer,
    "SVMClassifier": machine,
    "TreeEnsembleClassifier": tree_classifier,
    "TreeEnsembleRegressor": tree_regressor,
}
