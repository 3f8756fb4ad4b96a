"""Operators that move and repeat a row's numbers in ways of their own: onnxruntime is asked once where each goes.

It is given numbers that say where they come from. Where one comes from another row, or from nowhere, there is no rule.
"""

import numpy as np
import torch
from torch import Tensor

from models.onnx.bounds.graph.asking import answers
from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.operators.linear_maps import without_signs
from models.onnx.bounds.operators.operator import Affine, GraphStep

MOST = 2**24  # float32 tells whole numbers below it apart


def move(node: Node) -> tuple[GraphStep, ...]:
    """Follow DepthToSpace, SpaceToDepth, Split, Tile, Expand, GatherND, GatherElements and ReverseSequence."""
    shape, rows = node.shape(0), node.trace.rows
    count = int(np.prod(shape))
    if rows * count >= MOST:
        raise node.unsupported("of so many numbers")
    places = np.arange(rows * count, dtype=np.float32).reshape(rows, *shape)
    steps, outputs = [], [name for name in node.proto.output if name]
    for name, found in zip(outputs, answers(node, places), strict=True):
        own = found.astype(np.int64) - np.arange(rows).reshape(-1, *[1] * (found.ndim - 1)) * count
        if own.shape[0] != rows or not (own == own[:1]).all() or own.min() < 0 or own.max() >= count:
            raise node.unsupported("across the batch axis")
        operator = _picked(torch.from_numpy(own[0].ravel()).to(node.device), node, own.shape[1:])
        steps.append(GraphStep(name, node.sources[:1], operator, own.shape[1:]))
    return tuple(steps)


def _picked(places: Tensor, node: Node, out: tuple[int, ...]) -> Affine:
    return without_signs(lambda x: x.flatten(1).index_select(1, places).reshape(len(x), *out), node.shape(0))
