"""Layer, instance, group and root-mean-square normalization: a value over what its own numbers spread.

A variance is taken as the mean of squared differences, as onnxruntime computes it (held to by a test; there are
runtimes that take E[x^2] - E[x]^2, where much may cancel). So it is never below epsilon where that was added.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.linear.rounding import gamma
from models.onnx.bounds.operators.linear_maps import kept, transposed, without_signs
from models.onnx.bounds.operators.operator import Affine, Curve, GraphStep
from models.onnx.bounds.relaxations.products import Product
from models.onnx.bounds.rules.curves.convex import Square
from models.onnx.bounds.rules.curves.rectifiers import Clamp
from models.onnx.bounds.rules.curves.written import RECIPROCAL_ROOT


def variance(shape: Shape, axes: Sequence[int], epsilon: float, device: torch.device | str) -> Affine:
    """Make y = mean(squares) + epsilon of the squares; axes keep a size of 1."""

    def mean(x: Tensor) -> Tensor:
        return x.mean(tuple(axes), keepdim=True)

    bias = mean(torch.full((1, *shape), epsilon, dtype=torch.float64, device=device))
    return without_signs(mean, shape, bias=bias, terms=_count(shape, axes) + 2)


def no_less(epsilon: float) -> Clamp:
    """Keep what rounding cannot undo: a mean of squares in float32, plus epsilon, is no less than epsilon."""
    return Clamp(epsilon, math.inf)


def _no_more(count: int) -> Clamp:
    """Keep what no number of a normalized value passes: the root of how many there are, and their rounding."""
    most = math.sqrt(count) * (1 + 2 * gamma(count))
    return Clamp(-most, most)


def add_epsilon(node: Node, source: str, bias: Tensor) -> tuple[GraphStep, ...] | None:
    """Add a positive number to a mean or sum of squares; None where another node made what it is added to."""
    mean = node.trace.makers.get(source)
    squares = None if mean is None else node.trace.makers.get(mean.input[0])
    if mean is None or squares is None or mean.op_type not in ("ReduceMean", "ReduceSum") or not (bias > 0).all():
        return None
    exponents = np.asarray(node.trace.constants.get(squares.input[-1], np.nan))
    is_power = squares.op_type == "Pow" and bool((exponents == 2).all())
    if not is_power and not (squares.op_type == "Mul" and squares.input[0] == squares.input[1]):
        return None
    total = node.inner("total")
    operator = kept(bias.expand(1, *node.out).contiguous(), terms=1)
    return (
        GraphStep(total, (source,), operator, node.out),
        GraphStep(node.name, (total,), no_less(float(bias.min())), node.out),
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

    def step(inner: str, sources: tuple[str, ...], operator: Affine | Curve | Product, out: Shape) -> str:
        steps.append(GraphStep(node.inner(inner), sources, operator, out))
        return steps[-1].name

    middle = step("centered", (what.source,), centered(shape, axes), shape) if what.is_centered else what.source
    squares = step("squares", (middle,), Square(), shape)
    narrow = tuple(1 if axis in axes else size for axis, size in enumerate(shape, start=1))
    spread = step("variance", (squares,), variance(shape, axes, what.epsilon, node.device), narrow)
    spread = step("spread", (spread,), no_less(what.epsilon), narrow) if what.epsilon > 0 else spread
    root = step("inverse", (spread,), RECIPROCAL_ROOT, narrow)
    wide = step("factor", (root,), without_signs(lambda x: x.expand(len(x), *shape), narrow), shape)
    share = step("product", (middle, wide), Product(), shape)
    share = step("normalized", (share,), _no_more(_count(shape, axes)), shape)
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
