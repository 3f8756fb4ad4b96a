"""Operators that only move numbers: reshaping, transposing, padding, cutting and joining."""

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.operators.linear_maps import kept, without_signs
from models.onnx.bounds.operators.operator import Affine

EXACT_TYPES = (TensorProto.FLOAT, TensorProto.DOUBLE)


def pass_on(node: Node) -> Affine:
    node.shape(0)
    return kept()


def cast(node: Node) -> Affine:
    if node.attribute("to", 0) not in EXACT_TYPES:
        raise node.unsupported("to another type than float32 and float64")
    return pass_on(node)


def reshape(node: Node) -> Affine:
    """Flatten, Reshape, Squeeze and Unsqueeze keep the order of a row's numbers."""
    source, out = node.shape(0), node.out
    return Affine(
        lambda x: x.reshape(len(x), *out),
        lambda x: x.reshape(len(x), *out),
        lambda slopes: (Slopes(slopes.whole().numbers.reshape(-1, *source), source),),
    )


def transpose(node: Node) -> Affine:
    order = node.attribute("perm", list(range(len(node.shape(0)) + 1))[::-1])
    if order[0] != 0:
        raise node.unsupported("of the batch axis")
    return without_signs(lambda x: x.permute(order), node.shape(0))


def concatenate(node: Node) -> Affine:
    axis = node.attribute("axis", 1) % (len(node.out) + 1)
    if axis == 0:
        raise node.unsupported("along the batch axis")
    fixed = [None if node.depends(i) else _fixed_part(node, i) for i in range(len(node.proto.input))]

    def join(*parts: Tensor, constant: bool = False) -> Tensor:
        rows = iter(parts)
        whole = [next(rows) if part is None else part if constant else 0 * part for part in fixed]
        return torch.cat([part.expand(len(parts[0]), *part.shape[1:]) for part in whole], axis)

    sources = [node.shape(i) for i, part in enumerate(fixed) if part is None]
    zeros = [torch.zeros(1, *shape, dtype=torch.float64, device=node.device) for shape in sources]
    return without_signs(join, *sources, bias=join(*zeros, constant=True))


def _fixed_part(node: Node, i: int) -> Tensor:
    """(1, ...): broadcasting never widens the parts of a Concat, but a batch axis may be written out."""
    part = node.required(i)
    if part.dim() != len(node.out) + 1 or not bool((part == part[:1]).all()):
        raise node.unsupported("with a constant that differs from row to row")
    return part[:1]


def cut(node: Node) -> Affine:
    """Keep what Slice keeps of each axis."""
    starts, ends = (_numbers(node, i, name) for i, name in ((1, "starts"), (2, "ends")))
    axes = node.axes(3) or list(range(len(starts)))
    steps = _numbers(node, 4, "steps") or [1] * len(starts)
    chosen = {}
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if axis == 0:
            raise node.unsupported("of the batch axis")
        kept = np.arange(node.shape(0)[axis - 1])[start : _stop(end, step) : step]
        chosen[axis] = torch.from_numpy(kept.copy()).to(node.device)

    def apply(x: Tensor) -> Tensor:
        for axis, kept in chosen.items():
            x = x.index_select(axis, kept)
        return x

    return without_signs(apply, node.shape(0))


def pick(node: Node) -> Affine:
    """Keep what Gather picks along an axis, by constant indices, counted from the end where they are negative."""
    axis, indices = node.attribute("axis", 0) % (len(node.shape(0)) + 1), node.array(1)
    if axis == 0 or indices is None:
        raise node.unsupported("along the batch axis")
    kept = torch.from_numpy(indices.astype(np.int64).ravel() % node.shape(0)[axis - 1]).to(node.device)
    return without_signs(lambda x: x.index_select(axis, kept).reshape(len(x), *node.out), node.shape(0))


def _numbers(node: Node, i: int, name: str) -> list[int]:
    found = node.array(i)
    return [int(n) for n in (node.attribute(name, []) if found is None else found.ravel())]


def _stop(end: int, step: int) -> int | None:
    """Counting down, ONNX writes "past the first" as a very negative number."""
    return None if step < 0 and end < -(2**31) + 2 else end


def pad(node: Node) -> Affine:
    if node.attribute("mode", b"constant") != b"constant":
        raise node.unsupported("in another mode than constant")
    amounts, value = _numbers(node, 1, "pads"), node.array(2)
    filled = float(node.attribute("value", 0.0) if value is None else value)
    axes, size = node.axes(3) or list(range(len(amounts) // 2)), len(node.out) + 1
    pairs = dict.fromkeys(range(size), (0, 0)) | {
        axis: (amounts[i], amounts[i + len(axes)]) for i, axis in enumerate(axes)
    }
    if pairs[0] != (0, 0):
        raise node.unsupported("of the batch axis")
    flat = [amount for axis in reversed(range(1, size)) for amount in pairs[axis]]
    zeros = torch.zeros(1, *node.shape(0), dtype=torch.float64, device=node.device)
    return without_signs(lambda x: F.pad(x, flat), node.shape(0), bias=F.pad(zeros, flat, value=filled))
