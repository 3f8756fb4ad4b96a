"""Resize and Upsample: one matrix for each axis, as onnxruntime has it.

Its weights are rounded to float32, and which pixels it takes follows from coordinates in float32: so it is asked what
becomes of each place of an axis, and that matrix is what is bounded.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.onnx.bounds.graph.asking import answers
from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.operators.linear_maps import transposed
from models.onnx.bounds.operators.operator import Affine

TAPS = 16  # neighbors along one axis that any mode of ONNX weighs, and what else is rounded
FAITHFUL = 1e-5  # how far an image may be from what the matrices of its axes make of it


def resize(node: Node) -> Affine:
    """Multiply along each axis that changes, whatever the mode is: nearest, linear and cubic are all linear in x."""
    shape, out = node.shape(0), node.out
    if len(shape) != len(out) or shape[0] != out[0] or node.attribute("antialias", 0):
        raise node.unsupported("of the channels, or smoothed")
    if node.attribute("coordinate_transformation_mode", b"") == b"tf_crop_and_resize":
        raise node.unsupported("of a part")
    matrices = {axis: _matrix(node, axis) for axis in range(2, len(shape) + 1) if shape[axis - 1] != out[axis - 1]}
    found = _along_axes(matrices, node)
    _check(node, found)
    return found


def _along_axes(matrices: dict[int, Tensor], node: Node) -> Affine:
    def multiplied(x: Tensor, sizes: bool) -> Tensor:
        for axis, matrix in matrices.items():
            x = torch.tensordot(x, matrix.abs() if sizes else matrix, dims=([axis], [1])).movedim(-1, axis)
        return x

    def apply(x: Tensor) -> Tensor:
        return multiplied(x, sizes=False)

    adjoint = transposed(apply, [node.shape(0)])
    return Affine(apply, lambda x: multiplied(x, sizes=True), adjoint, terms=TAPS * len(matrices))


def _matrix(node: Node, axis: int) -> Tensor:
    """(out, in) of one axis: images that are 1 in one place of it, wherever they are on the others."""
    shape, size = node.shape(0), node.shape(0)[axis - 1]
    images = np.zeros((size, 1, *shape[1:]), np.float32)
    for place in range(size):
        np.moveaxis(images, axis, 0)[place, place] = 1
    found = _asked(node, images)  # (in, 1, *out)
    lines = np.moveaxis(found, axis, -1).reshape(size, -1, found.shape[axis])[:, 0]  # (in, out)
    return torch.from_numpy(lines.T.astype(np.float64)).to(node.device)


def _asked(node: Node, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of single channels."""
    scales = 2 if node.proto.op_type == "Resize" and node.opset >= 11 else 1
    replaced = {}
    for i, first in ((scales, np.float32(1)), (3, np.int64(len(images)))):
        given = node.array(i)
        if given is not None and given.size == images.ndim:
            leading = [first, np.float32(1) if i == scales else np.int64(1)]
            replaced[i] = np.concatenate([np.array(leading, given.dtype), given[2:]])
    return answers(node, images, replaced)[0]


def _check(node: Node, found: Affine) -> None:
    """An axis may not look at another one."""
    shape = node.shape(0)
    images = np.random.default_rng(0).random((2, 1, *shape[1:]), dtype=np.float32)
    made = found.apply(torch.from_numpy(images.astype(np.float64)).to(node.device)).cpu().numpy()
    if not np.allclose(made, _asked(node, images), rtol=0, atol=FAITHFUL):
        raise node.unsupported("in a mode whose axes are not independent")
