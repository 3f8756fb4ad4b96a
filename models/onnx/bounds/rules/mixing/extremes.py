"""Max and Min of several values, and ReduceMax and ReduceMin.

max(x, y) is y + relu(x - y), exactly: the two lines above and below keep that x and y may be related.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.graph.spans import Span
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.operators.linear_maps import kept, scaled, transposed, without_signs
from models.onnx.bounds.operators.operator import Affine, GraphStep
from models.onnx.bounds.rules.curves.rectifiers import Rectifier
from models.onnx.bounds.rules.mixing.maximum import MaxPool


def largest(node: Node) -> tuple[GraphStep, ...]:
    return _folded(node, 1.0)


def smallest(node: Node) -> tuple[GraphStep, ...]:
    return _folded(node, -1.0)


def _folded(node: Node, sign: float) -> tuple[GraphStep, ...]:
    """One operand after the other: sign max(sign x, sign y), all of them widened to the answer's shape."""
    steps: list[GraphStep] = []
    inputs = [i for i in range(len(node.proto.input)) if node.depends(i)]
    constants = [node.spread(i).expand(1, *node.out) for i in range(len(node.proto.input)) if not node.depends(i)]
    found = ""
    for i in inputs:
        name = node.inner(f"operand {i}")
        steps.append(GraphStep(name, (node.proto.input[i],), _wide(node.operand(i), node.out), node.out))
        found = _of_two(node, steps, found, name, sign) if found else name
    for constant in constants:
        found = _at_least(node, steps, found, constant.contiguous(), sign)
    return (*steps[:-1], replace(steps[-1], name=node.name))


def _wide(source: Shape, out: Shape) -> Affine:
    return kept() if source == out else without_signs(lambda x: x.expand(len(x), *out), source)


def _of_two(node: Node, steps: list[GraphStep], x: str, y: str, sign: float) -> str:
    """y + sign relu(sign (x - y))."""
    shapes = [node.out, node.out]
    return _rectified(
        node,
        steps,
        (x, y),
        (
            Affine(lambda a, b: sign * (a - b), torch.add, transposed(lambda a, b: sign * (a - b), shapes)),
            Affine(lambda a, b: a + sign * b, torch.add, transposed(lambda a, b: a + sign * b, shapes)),
        ),
        y,
    )


def _at_least(node: Node, steps: list[GraphStep], x: str, constant: Tensor, sign: float) -> str:
    """constant + sign relu(sign (x - constant))."""
    factors = torch.full_like(constant, sign)
    line = scaled(factors, node.out, node.out, bias=-sign * constant, terms=0)
    return _rectified(node, steps, (x,), (line, scaled(factors, node.out, node.out, bias=constant, terms=0)))


def _rectified(
    node: Node, steps: list[GraphStep], sources: tuple[str, ...], lines: tuple[Affine, Affine], *rest: str
) -> str:
    gap, height, name = (node.inner(f"{what} {len(steps)}") for what in ("gap", "height", "extreme"))
    steps.append(GraphStep(gap, sources, lines[0], node.out))
    steps.append(GraphStep(height, (gap,), Rectifier(), node.out))
    steps.append(GraphStep(name, (*rest, height), lines[1], node.out))
    return name


def reduce_largest(node: Node) -> tuple[GraphStep, ...]:
    """Take the largest along axes, as a pool over a window of all of them."""
    return _reduced(node, 1.0)


def reduce_smallest(node: Node) -> tuple[GraphStep, ...]:
    """Take the smallest along axes: less the largest of -x."""
    return _reduced(node, -1.0)


def _reduced(node: Node, sign: float) -> tuple[GraphStep, ...]:
    axes, shape = node.axes(1), node.shape(0)
    if not axes or 0 in axes:
        raise node.unsupported("over the batch axis")
    others = [axis for axis in range(1, len(shape) + 1) if axis not in axes]
    count, kept_count = _count(shape, axes), _count(shape, others)
    lined_up, out = (kept_count, count), (kept_count, 1)

    def line_up(x: Tensor) -> Tensor:
        return sign * x.permute(0, *others, *axes).reshape(len(x), *lined_up)

    def give_back(x: Tensor) -> Tensor:
        return sign * x.reshape(len(x), *node.out)

    window = Span((count,), (1,), (1,), (0,), (0,))
    first, pool = node.inner("lined up"), node.inner("largest")
    return (
        GraphStep(first, node.sources[:1], _signed(line_up, shape), lined_up),
        GraphStep(pool, (first,), MaxPool(window, lined_up, out), out),
        GraphStep(node.name, (pool,), _signed(give_back, out), node.out),
    )


def _signed(apply: Callable[[Tensor], Tensor], source: Shape) -> Affine:
    return Affine(apply, lambda x: apply(x).abs(), transposed(apply, [source]))


def _count(shape: Shape, axes: list[int]) -> int:
    count = 1
    for axis in axes:
        count *= shape[axis - 1]
    return count
