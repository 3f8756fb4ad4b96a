"""Soft-max, norms and reductions: functions of a whole axis."""

import math
from dataclasses import replace

import numpy as np

from models.onnx.reading.operation import Operation, RangeRule
from models.onnx.reading.ranges import INF, UNKNOWN, Range, scaled, times


def softmax(node: Operation) -> Range:
    """Make shares of one; those of the last axis sum to one where the soft-max runs over it alone."""
    axis = node.attribute("axis", -1 if node.opset >= 13 else 1)
    runs_along_last = node.is_last(axis) and (node.opset >= 13 or node.rank() == 2)
    if runs_along_last and node.width() == 1:
        return Range(1.0, 1.0, is_whole=True)
    if not runs_along_last:
        return Range(0.0, 1.0)
    name = str(node.proto.output[0]) if node.rank() == 2 else None  # one soft-max a row, and not one a token
    return Range(0.0, 1.0, total=(1.0, 1.0), shares_of=name)


def sum_along(node: Operation) -> Range:
    """Take sums by what is known of the total, else by counting."""
    given, last = node.range(), _runs_along_last(node)
    if given.total is not None and last:
        return Range(*given.total)
    count = node.width() if last else None
    if count is None:
        low, high = (0.0 if given.low >= 0 else -INF), (0.0 if given.high <= 0 else INF)
        is_score = given.is_score or (given.is_known and not given.is_finite)
        return replace(given.ends_alone, low=low, high=high, is_score=is_score)
    return scaled(given.ends_alone, np.array([float(count)]))


def mean_along(node: Operation) -> Range:
    """Take a mean, which lies where the numbers do, and is known where their total is."""
    given, count = node.range(), node.width()
    if given.total is not None and count is not None and _runs_along_last(node):
        return Range(given.total[0] / count, given.total[1] / count)
    return replace(given.ends_alone, is_whole=False)


def largest_along(node: Operation) -> Range:
    """Take the largest, which is no less than the mean."""
    given = node.range()
    return replace(given.ends_alone, low=max(given.low, mean_along(node).low))


def smallest_along(node: Operation) -> Range:
    given = node.range()
    return replace(given.ends_alone, high=min(given.high, mean_along(node).high))


def product_along(node: Operation) -> Range:
    given = node.range()
    most = max(abs(given.low), abs(given.high))
    high = 1.0 if most <= 1 else INF
    return given.mapped(0.0 if given.low >= 0 else -high, high)


def log_of_sum_along(node: Operation) -> Range:
    """Take log(sum(exp)), which is no less than any number, and beyond the largest by log(count) at the most."""
    given, count = node.range(), node.width() if _runs_along_last(node) else None
    if count is None and given.high < INF:
        return UNKNOWN
    return given.mapped(given.low, given.high + math.log(count or 1))


def size_along(node: Operation) -> Range:
    """Take a norm, which is not negative."""
    given = node.range()
    if given.low >= 0 and node.proto.op_type == "ReduceL1":
        return sum_along(node)
    return given.mapped(0.0, 0.0 if times(given.low, given.high) == 0 and given.low == given.high else INF)


def unit(node: Operation) -> Range:
    """Normalize: numbers that are not negative stay so."""
    return Range(0.0, 1.0) if node.range().low >= 0 else Range(-1.0, 1.0)


def _runs_along_last(node: Operation) -> bool:
    axes = node.axes()
    if axes is None:
        return False
    return len(axes) == 1 and node.is_last(axes[0])


RULES: dict[str, RangeRule] = {
    "LogSoftmax": lambda _node: Range(-INF, 0.0),
    "LpNormalization": unit,
    "ReduceL1": size_along,
    "ReduceL2": size_along,
    "ReduceLogSumExp": log_of_sum_along,
    "ReduceMax": largest_along,
    "ReduceMean": mean_along,
    "ReduceMin": smallest_along,
    "ReduceProd": product_along,
    "ReduceSum": sum_along,
    "ReduceSumSquare": size_along,
    "Softmax": softmax,
}
