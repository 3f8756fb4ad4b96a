"""ConvTranspose in one, two or three dimensions, with strides, pads, groups and dilations."""

import math
from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.operators.linear_maps import transposed
from models.onnx.bounds.operators.operator import Affine

FORWARD: dict[int, Callable[..., Tensor]] = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def convolve_transposed(node: Node) -> Affine:
    """Spread each number by the kernel, add up, and cut to the size that was seen."""
    weights, shape = node.required(1), node.shape(0)  # (in, out / groups, *kernel)
    size = weights.dim() - 2
    if node.attribute("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID") or node.attribute("output_shape", []):
        raise node.unsupported("with pads that follow from its size")
    strides, dilations = (tuple(node.attribute(name, [1] * size)) for name in ("strides", "dilations"))
    begins, groups = node.attribute("pads", [0] * 2 * size)[:size], node.attribute("group", 1)
    bias = node.tensor(2)
    if bias is not None:
        bias = bias.reshape(1, -1, *[1] * size).expand(1, *node.out).contiguous()

    def spread(x: Tensor, kernel: Tensor) -> Tensor:
        whole = FORWARD[size](x, kernel, stride=strides, dilation=dilations, groups=groups)
        axes = zip(begins, node.out[1:], whole.shape[2:], strict=True)
        cut = [(-begin, out - (full - begin)) for begin, out, full in axes]  # less than 0: cut off, more: zeros
        return F.pad(whole, [amount for pair in reversed(cut) for amount in pair])

    sizes = weights.abs()

    def apply(x: Tensor) -> Tensor:
        return spread(x, weights)

    terms = shape[0] // groups * math.prod(weights.shape[2:]) + 1
    return Affine(apply, lambda x: spread(x, sizes), transposed(apply, [shape]), bias, terms=terms)
