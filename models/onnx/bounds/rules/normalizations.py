"""Layer, instance, group and root-mean-square normalization: a value over what its own numbers spread.

A runtime may take a layer's variance as E[x^2] - E[x]^2, also where a graph spells it out and is fused. Where x is
large and hardly varies the two cancel; so what rounding may add is measured by E[x^2], not by the variance.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.onnx.bounds.linear_maps import transposed, without_signs
from models.onnx.bounds.node import Node
from models.onnx.bounds.operators import Affine, GraphStep
from models.onnx.bounds.products import Product
from models.onnx.bounds.rules.convex import Square
from models.onnx.bounds.rules.curves import RECIPROCAL_ROOT
from models.onnx.bounds.tracing import Shape

MOMENTS = 3  # E[x^2] twice through E[x]^2, and once


def variance(shape: Shape, axes: Sequence[int], epsilon: float, device: torch.device | str) -> Affine:
    """Make y = mean(squares) + epsilon of the squares and of x, which tells how much may cancel.

    The axes keep a size of 1.
    """

    def mean(x: Tensor) -> Tensor:
        return x.mean(tuple(axes), keepdim=True)

    def apply(squares: Tensor, x: Tensor) -> Tensor:
        del x
        return mean(squares)

    bias = mean(torch.full((1, *shape), epsilon, dtype=torch.float64, device=device))
    return Affine(
        apply,
        apply,
        transposed(apply, [shape, shape]),
        bias,
        sizes=lambda squares, x: mean(squares) + MOMENTS * mean(x.square()),
        terms=_count(shape, axes) + 2,
    )


def centered(shape: Shape, axes: Sequence[int]) -> Affine:
    """Make x - mean(x)."""
    count = _count(shape, axes)

    def apply(x: Tensor) -> Tensor:
        return x - x.mean(tuple(axes), keepdim=True)

    def sizes(x: Tensor) -> Tensor:
        return x + x.mean(tuple(axes), keepdim=True)

    def magnitude(x: Tensor) -> Tensor:
        return (1 - 2 / count) * x + x.mean(tuple(axes), keepdim=True)

    return Affine(apply, magnitude, transposed(apply, [shape]), sizes=sizes, terms=count + 2)


@dataclass(frozen=True)
class Normalized:
    """What is normalized: `source`, of this shape, over these axes (the rows' is 0); and what comes after it."""

    source: str
    shape: Shape
    axes: tuple[int, ...]
    epsilon: float
    is_centered: bool
    scale: Tensor  # (1, *shape) or broadcasting to it
    bias: Tensor


def normalized(node: Node, what: Normalized, name: str) -> tuple[GraphStep, ...]:
    """Take the steps from a value to the same less its mean, over its spread, scaled and shifted."""
    shape, axes, steps = what.shape, what.axes, []

    def step(inner: str, sources: tuple[str, ...], operator: Affine | Product | Square | object, out: Shape) -> str:
        steps.append(GraphStep(node.inner(inner), sources, operator, out))  # type: ignore[arg-type]
        return steps[-1].name

    middle = step("centered", (what.source,), centered(shape, axes), shape) if what.is_centered else what.source
    squares = step("squares", (middle,), Square(), shape)
    operator = variance(shape, axes, what.epsilon, node.device)
    narrow = tuple(operator.bias.shape[1:]) if operator.bias is not None else shape
    spread = step("variance", (squares, what.source), operator, narrow)
    root = step("inverse", (spread,), RECIPROCAL_ROOT, narrow)
    wide = step("factor", (root,), without_signs(lambda x: x.expand(len(x), *shape), narrow), shape)
    share = step("normalized", (middle, wide), Product(), shape)
    return (*steps, GraphStep(name, (share, what.source, wide), _scaled(what), shape))


def _scaled(what: Normalized) -> Affine:
    """scale z + bias; onnxruntime may take it as (scale r) x + (bias - mean scale r), which rounds by x r, not by z."""
    shape, scale = what.shape, what.scale.expand(1, *what.shape).contiguous()

    def apply(z: Tensor, x: Tensor, root: Tensor) -> Tensor:
        del x, root
        return z * scale

    def magnitude(z: Tensor, x: Tensor, root: Tensor) -> Tensor:
        del x, root
        return z * scale.abs()

    def sizes(z: Tensor, x: Tensor, root: Tensor) -> Tensor:
        return (z + (x + x.mean(what.axes, keepdim=True)) * root) * scale.abs()

    bias = what.bias.expand(1, *shape).contiguous()
    return Affine(apply, magnitude, transposed(apply, [shape] * 3), bias, sizes=sizes, terms=4)


def layer(node: Node) -> tuple[GraphStep, ...]:
    """Take LayerNormalization, over an axis and all after it."""
    return _over_last_axes(node, is_centered=True)


def root_mean_square(node: Node) -> tuple[GraphStep, ...]:
    """Take RMSNormalization, over an axis and all after it."""
    return _over_last_axes(node, is_centered=False)


def _over_last_axes(node: Node, *, is_centered: bool) -> tuple[GraphStep, ...]:
    shape = node.shape(0)
    first = node.attribute("axis", -1) % (len(shape) + 1)
    if first == 0:
        raise node.unsupported("over the batch axis")
    if any(node.proto.output[1:]):
        raise node.unsupported("with its mean or deviation as an output")
    shift = node.tensor(2) if is_centered else None
    scale = node.spread(1)
    bias = torch.zeros_like(scale) if shift is None else node.spread(2)
    axes, epsilon = tuple(range(first, len(shape) + 1)), node.attribute("epsilon", 1e-5)
    return normalized(node, Normalized(node.sources[0], shape, axes, epsilon, is_centered, scale, bias), node.name)


def instance(node: Node) -> tuple[GraphStep, ...]:
    """Take InstanceNormalization: each channel over its own positions."""
    shape = node.shape(0)
    size = (1, -1, *[1] * (len(shape) - 1))
    scale, bias = (node.required(i).reshape(size) for i in (1, 2))
    axes = tuple(range(2, len(shape) + 1))
    epsilon = node.attribute("epsilon", 1e-5)
    return normalized(node, Normalized(node.sources[0], shape, axes, epsilon, True, scale, bias), node.name)


def group(node: Node) -> tuple[GraphStep, ...]:
    """Take GroupNormalization: groups of channels over their own positions."""
    shape, groups = node.shape(0), int(node.attribute("num_groups", 1))
    parted = (groups, math.prod(shape) // groups)
    each = tuple(shape[1:])
    scale, bias = (_by_channel(node, i, shape[0], groups) for i in (1, 2))
    scale, bias = (
        values.reshape(1, -1, *[1] * len(each)).expand(1, *shape).reshape(1, *parted) for values in (scale, bias)
    )
    into, out = node.inner("groups"), node.inner("scaled")
    what = Normalized(into, parted, (2,), node.attribute("epsilon", 1e-5), True, scale, bias)
    return (
        GraphStep(into, node.sources[:1], _reshaped(shape, parted), parted),
        *normalized(node, what, out),
        GraphStep(node.name, (out,), _reshaped(parted, shape), shape),
    )


def _by_channel(node: Node, i: int, channels: int, groups: int) -> Tensor:
    """A number a channel, or (before opset 21) a group."""
    values = node.required(i).flatten()
    return values if len(values) == channels else values.repeat_interleave(channels // groups)


def _reshaped(shape: Shape, out: Shape) -> Affine:
    return without_signs(lambda x: x.reshape(len(x), *out), shape)


def _count(shape: Shape, axes: Sequence[int]) -> int:
    return math.prod(shape[axis - 1] for axis in axes)
