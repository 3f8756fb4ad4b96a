"""What moves, picks and compares numbers, and makes none of its own."""

from dataclasses import replace

import numpy as np
from onnx import TensorProto

from models.onnx.reading.operation import Operation, RangeRule
from models.onnx.reading.ranges import INF, Mix, Range, hull, of_mix

SIGNED = (TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64)
UNSIGNED = (TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64)


def same(node: Operation) -> Range:
    return node.range()


def moved(node: Operation) -> Range:
    """Keep the numbers; the last axis is another one."""
    return replace(node.range(), total=None, shares_of=None)


def picked(node: Operation) -> Range:
    """Keep some of the numbers: along the last axis they sum to no more than all of them."""
    given = node.range()
    return replace(given, total=None if given.total is None else (0.0, given.total[1]), shares_of=None)


def share(node: Operation, position: int) -> Range:
    """Pick one number along the last axis; of a soft-max, it is known which."""
    given, width = node.range(), node.width()
    if given.shares_of is None or width is None or not -width <= position < width:
        return picked(node)
    weights = [0.0] * width
    weights[position] = 1.0
    return of_mix(Mix(given.shares_of, tuple(weights)))


def gathered(node: Operation) -> Range:
    """Pick by indices; what is picked twice would count twice."""
    indices = node.constant(1)
    if indices is not None and indices.size == 1 and node.is_last(node.attribute("axis", 0)):
        return share(node, int(indices.reshape(())))
    if indices is None or indices.ndim != 1 or len(np.unique(indices)) < indices.size or len({*(indices < 0)}) > 1:
        return moved(node)
    return picked(node)


def cut(node: Operation) -> Range:
    """Cut a Slice; where it leaves one number of the last axis, it is known which."""
    bounds = [node.constant(i) for i in range(1, 4)]
    if any(each is None or each.size != 1 for each in bounds):
        return picked(node)
    start, end, axis = (int(each.reshape(())) for each in bounds if each is not None)
    is_one = node.is_last(axis) and (end == start + 1 or (start == -1 and end >= (node.width() or 0)))
    return share(node, start) if is_one else picked(node)


def split(node: Operation) -> tuple[Range, ...]:
    """Cut into pieces; where each is one number of the last axis, it is known which."""
    count = len(node.proto.output)
    if not node.is_last(node.attribute("axis", 0)) or node.width() != count:
        return (picked(node),) * count
    return tuple(share(node, i) for i in range(count))


def any_of(node: Operation) -> Range:
    return hull(*node.given)


def chosen(node: Operation) -> Range:
    """Take one or the other, as Where does."""
    return hull(node.range(1), node.range(2))


def largest(node: Operation) -> Range:
    given = node.given
    found = hull(*given)
    return replace(found, low=max(each.low for each in given))


def smallest(node: Operation) -> Range:
    given = node.given
    found = hull(*given)
    return replace(found, high=min(each.high for each in given))


def cast(node: Operation) -> Range:
    """Make whole numbers by cutting off, and bools by asking whether it is zero."""
    given, to = node.range(), node.attribute("to", 0)
    if to == TensorProto.BOOL:
        return Range(0.0, 1.0, is_whole=True)
    if to not in (*SIGNED, *UNSIGNED):
        return given
    if to in UNSIGNED and given.low <= -1:  # what is negative becomes large
        return given.mapped(0.0, INF, is_whole=True)
    low, high = (end if abs(end) == INF else float(np.trunc(end)) for end in (given.low, given.high))
    return given.mapped(low, high, is_whole=True)


def place(node: Operation) -> Range:
    """Give the position along an axis that ArgMax and ArgMin answer."""
    axis = node.attribute("axis", 0)
    width = node.width() if node.is_last(axis) else None
    return Range(0.0, INF if width is None else width - 1.0, is_whole=True)


def best(node: Operation) -> tuple[Range, ...]:
    """Pick the numbers that TopK does, and give their places."""
    return picked(node), Range(0.0, INF, is_whole=True)


def padded(node: Operation) -> Range:
    value = float(node.attribute("value", 0.0))
    return hull(node.range(), node.range(2) if node.name(2) else Range(value, value))


def pooled(node: Operation) -> Range:
    """Take averages, some of them over padding."""
    return hull(node.range(), Range(0.0, 0.0))


RULES: dict[str, RangeRule] = {
    "ArgMax": place,
    "ArgMin": place,
    "Cast": cast,
    "Concat": any_of,
    "Dropout": same,
    "Expand": moved,
    "Flatten": moved,
    "Gather": gathered,
    "GatherElements": moved,
    "GatherND": moved,
    "GlobalAveragePool": moved,
    "GlobalMaxPool": moved,
    "Identity": same,
    "Max": largest,
    "MaxPool": moved,
    "Min": smallest,
    "OneHot": lambda node: node.range(2),  # its two values
    "Pad": padded,
    "AveragePool": pooled,
    "Reshape": moved,
    "Slice": cut,
    "Split": split,
    "Squeeze": moved,
    "Tile": moved,
    "TopK": best,
    "Transpose": moved,
    "Unsqueeze": moved,
    "Where": chosen,
}
