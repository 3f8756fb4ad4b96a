"""AveragePool, GlobalAveragePool, and what ReduceMean, ReduceSum and their like sum up."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.graph.spans import Span, span
from models.onnx.bounds.operators.linear_maps import without_signs
from models.onnx.bounds.operators.operator import Affine, Curve, GraphStep
from models.onnx.bounds.rules.curves.convex import Absolute, Square
from models.onnx.bounds.rules.curves.written import SQRT

POOLS: dict[int, Callable[..., Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


def pool(node: Node) -> Affine:
    where = span(node, tuple(node.attribute("kernel_shape", [])))
    if set(where.dilations) != {1}:
        raise node.unsupported("with dilations")
    shares = _shares(node, where) if where.has_padding else None

    def apply(x: Tensor) -> Tensor:
        return _mean(x, where) if shares is None else _mean(x, where) / shares

    return without_signs(apply, node.shape(0), terms=math.prod(where.kernel) + 1)


def _shares(node: Node, where: Span) -> Tensor:
    """Of each window that lies within, or within the padding where that counts: (1, *out).

    What a size rounded up adds beyond the padding never counts.
    """
    counts = bool(node.attribute("count_include_pad", 0))
    counted = where.pad(torch.ones(1, *node.shape(0), dtype=torch.float64, device=node.device), float(counts))
    if counts and node.attribute("auto_pad", b"NOTSET") == b"NOTSET":
        ends = node.attribute("pads", [0] * 2 * len(where.kernel))[len(where.kernel) :]
        for axis, whole in enumerate(zip(where.begins, node.shape(0)[1:], ends, strict=True)):
            counted.transpose(0, axis + 2)[sum(whole) :] = 0
    return POOLS[len(where.kernel)](counted, where.kernel, where.strides)


def _mean(x: Tensor, where: Span) -> Tensor:
    return POOLS[len(where.kernel)](where.pad(x), where.kernel, where.strides)


def pool_all(node: Node) -> Affine:
    axes = tuple(range(2, len(node.shape(0)) + 1))
    return without_signs(lambda x: x.mean(axes, keepdim=True), node.shape(0), terms=math.prod(node.shape(0)[1:]) + 1)


def reduce_mean(node: Node) -> Affine:
    return _reduced(node, torch.mean)


def reduce_sum(node: Node) -> Affine:
    return _reduced(node, torch.sum)


def _reduced(node: Node, reduce: Callable[..., Tensor]) -> Affine:
    axes = _axes(node)
    keep = bool(node.attribute("keepdims", 1))
    terms = math.prod(node.shape(0)[axis - 1] for axis in axes) + 1
    return without_signs(lambda x: reduce(x, tuple(axes), keepdim=keep), node.shape(0), terms=terms)


def _axes(node: Node) -> list[int]:
    axes = node.axes(1)
    if not axes or 0 in axes:
        raise node.unsupported("over the batch axis")
    return axes


def reduce_sizes(node: Node) -> tuple[GraphStep, ...]:
    """Take ReduceL1, the sum of |x|."""
    return _summed(node, Absolute())


def reduce_squares(node: Node) -> tuple[GraphStep, ...]:
    """Take ReduceSumSquare, the sum of squares."""
    return _summed(node, Square())


def reduce_length(node: Node) -> tuple[GraphStep, ...]:
    """Take ReduceL2, the root of the sum of squares."""
    *steps, last = _summed(node, Square())
    total = replace(last, name=node.inner("total"))
    return (*steps, total, GraphStep(node.name, (total.name,), SQRT, node.out))


def _summed(node: Node, curve: Curve) -> tuple[GraphStep, ...]:
    terms = node.inner("terms")
    return (
        GraphStep(terms, node.sources[:1], curve, node.shape(0)),
        GraphStep(node.name, (terms,), _reduced(node, torch.sum), node.out),
    )
