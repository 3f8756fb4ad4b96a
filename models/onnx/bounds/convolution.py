"""Conv in one, two or three dimensions, with strides, pads, groups and dilations."""

import math

import torch.nn.functional as F
from torch import Tensor

from models.onnx.bounds.operators import Affine
from models.onnx.bounds.reading import Reading
from models.onnx.bounds.slopes import Slopes
from models.onnx.bounds.spans import Span, span
from models.onnx.bounds.tracing import Shape

FORWARD = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
BACKWARD = {1: F.conv_transpose1d, 2: F.conv_transpose2d, 3: F.conv_transpose3d}


def convolve(node: Reading) -> Affine:
    weights = node.required(1)  # (out, in / groups, *kernel)
    where, groups = span(node, tuple(weights.shape[2:])), node.attribute("group", 1)
    bias = node.tensor(2)
    if bias is not None:
        bias = bias.reshape(1, -1, *[1] * len(where.kernel)).expand(1, *node.out).contiguous()
    sizes = weights.abs()
    return Affine(
        lambda x: _forward(x, weights, where, groups),
        lambda x: _forward(x, sizes, where, groups),
        lambda slopes: (_backward(slopes, weights, where, groups, node.shape(0)),),
        bias,
        terms=math.prod(weights.shape[1:]) + 1,
    )


def _forward(x: Tensor, weights: Tensor, where: Span, groups: int) -> Tensor:
    convolution = FORWARD[len(where.kernel)]
    return convolution(where.pad(x), weights, stride=where.strides, dilation=where.dilations, groups=groups)


def _backward(slopes: Slopes, weights: Tensor, where: Span, groups: int, source: Shape) -> Slopes:
    """A transposed convolution yields the padded input as far as the last window reaches, or the window's window."""
    transposed = BACKWARD[len(where.kernel)]
    numbers = transposed(slopes.numbers, weights, stride=where.strides, dilation=where.dilations, groups=groups)
    if slopes.corner is None:
        return Slopes(where.unpad(numbers), source)
    return Slopes(numbers, source, where.corner(slopes.corner)).cropped()
