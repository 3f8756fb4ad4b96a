"""Conv in one, two or three dimensions, with strides, pads, groups and dilations."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn import grad

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.graph.spans import Span, span
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.linear.slopes import Slopes, parts_of
from models.onnx.bounds.operators.operator import Affine

FORWARD = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
BACKWARD: dict[int, Callable[..., Tensor]] = {  # up to four times as fast as conv_transpose
    1: grad.conv1d_input,
    2: grad.conv2d_input,
    3: grad.conv3d_input,
}


def convolve(node: Node) -> Affine:
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
    """Slopes by the padded input, as far as the last window reaches; or by the window that a window looks at."""
    windows = tuple(slopes.numbers.shape[2:])
    size = [source[0], *where.extent(windows)]
    columns = (
        groups * math.prod(weights.shape[1:]) * math.prod(windows)
    )  # torch makes them of each objective, and twice
    parts = [
        BACKWARD[len(where.kernel)](
            [len(part), *size], weights, part, stride=where.strides, dilation=where.dilations, groups=groups
        )
        for part in slopes.numbers.tensor_split(parts_of(len(slopes.numbers), columns, weights.device))
    ]
    numbers = parts[0] if len(parts) == 1 else torch.cat(parts)
    if slopes.corner is None:
        return Slopes(where.unpad(numbers), source)
    return Slopes(numbers, source, where.corner(slopes.corner)).cropped()
