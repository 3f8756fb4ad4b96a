"""Numbers picked by index, for gradients: Gather, GatherElements, GatherND and OneHot as ONNX means them.

onnx2fx hands them to torch, which takes no negative index where ONNX counts it from the end: the last step of a
recurrent network, `out[:, -1]`, is a Gather with the index -1. So these are written here, and registered in place of
its own.
"""

from collections.abc import Callable
from typing import Any

import onnx2fx
import torch
from onnx import NodeProto
from torch import Tensor

from models.onnx.graph import attribute


def gather(data: Tensor, indices: Tensor, axis: int) -> Tensor:
    """Pick slices along an axis: (*before, n, *after), (*picked) -> (*before, *picked, *after)."""
    axis %= data.dim()
    picked = torch.index_select(data, axis, _from_the_front(indices, data.shape[axis]).reshape(-1))
    return picked.reshape((*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :]))


def gather_elements(data: Tensor, indices: Tensor, axis: int) -> Tensor:
    """Pick single numbers along an axis, each at its own index; the answer has the shape of the indices."""
    return torch.gather(data, axis, _from_the_front(indices, data.shape[axis]))


def gather_nd(data: Tensor, indices: Tensor, batch_dims: int) -> Tensor:
    """Pick slices by tuples of indices (*batch, *picked, depth), for each element of the batch axes its own."""
    batch, depth = data.shape[:batch_dims], indices.shape[-1]
    rows = data.reshape(-1, *data.shape[batch_dims:])  # (b, *axes)
    tuples = indices.reshape(len(rows), -1, depth)  # (b, m, depth)
    where = [_from_the_front(tuples[..., i], rows.shape[1 + i]) for i in range(depth)]
    picked = rows[(torch.arange(len(rows), device=data.device)[:, None], *where)]  # (b, m, *rest)
    return picked.reshape((*batch, *indices.shape[batch_dims:-1], *data.shape[batch_dims + depth :]))


def _from_the_front(indices: Tensor, size: int) -> Tensor:
    indices = indices.long()
    return torch.where(indices < 0, indices + size, indices)


def one_hot(indices: Tensor, depth: Tensor, values: Tensor, axis: int) -> Tensor:
    """Write each index as a row of `depth` numbers, `values` (off, on): off throughout where it is out of range."""
    size = int(depth.reshape(-1)[0])
    marks = _from_the_front(indices, size)[..., None] == torch.arange(size, device=indices.device)  # (*shape, depth)
    return torch.where(marks, values[1], values[0]).movedim(-1, axis)


def register() -> None:
    """Let onnx2fx convert these operators by the functions above."""
    for op, pick, name, default in (
        ("Gather", gather, "axis", 0),
        ("GatherElements", gather_elements, "axis", 0),
        ("GatherND", gather_nd, "batch_dims", 0),
        ("OneHot", one_hot, "axis", -1),
    ):
        onnx2fx.register_op(op, _handler(pick, name, default))


def _handler(pick: Callable[..., Tensor], name: str, default: int) -> Callable[[Any, NodeProto], Any]:
    """Of an operator that has only tensors for inputs, and one attribute."""

    def handler(builder: Any, node: NodeProto) -> Any:
        inputs = [builder.get_value(value) for value in node.input]
        return builder.call_function(pick, args=(*inputs, attribute(node, name, default)))

    return handler
