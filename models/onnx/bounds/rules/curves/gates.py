"""Gates that exporters write as several nodes: x times a curve of x is one curve.

Bounded as a product of two values, x sigmoid(x) would forget that both are made of one x. So a Mul is read back to
a value that both of its factors are made of by scalars and known curves; where that is a gate, the Mul is that curve.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.operators.linear_maps import scaled
from models.onnx.bounds.operators.operator import Affine, Curve, GraphStep
from models.onnx.bounds.rules.curves.terms import Term, read
from models.onnx.bounds.rules.curves.written import (
    CUBE,
    GELU,
    HARD_SWISH,
    MISH,
    SILU,
    SOFTSIGN,
    SQUARE_ROOT_OF_2_OVER_PI,
    TANH_GELU,
)

DEEPEST = 8  # nodes from a factor back to the value
ROUNDED = 2e-7  # what float32 makes of a constant, relative to it


@dataclass(frozen=True)
class Gate:
    """A gate is height * curve(rate * x)."""

    height: float
    rate: float
    curve: Curve


def gate(node: Node) -> tuple[GraphStep, ...] | None:
    """Read a Mul or Div of two values as one curve of the value that both are made of; None where it is none known."""
    for base in _bases(node):
        if node.trace.shapes[base] != node.out:
            continue
        factors = [read(node, name, base, DEEPEST) for name in node.proto.input]
        is_quotient = node.proto.op_type == "Div"
        for one, other in (factors,) if is_quotient else (factors, factors[::-1]):
            if one is not None and other is not None and one.is_line and one.is_multiple:
                found = _known_below(other) if is_quotient else _known(other)
                if found is not None:
                    return gate_steps(node, base, Gate(one.scale * found.height, found.rate, found.curve))
    return None


def gate_steps(node: Node, base: str, found: Gate) -> tuple[GraphStep, ...]:
    """Take the steps of a gate of a value. The curve rounds for all of them, but for the last factor."""
    steps, source = [], base
    if found.rate != 1:
        steps.append(GraphStep(node.inner("line"), (source,), _multiple(node, found.rate, 0), node.out))
        source = steps[-1].name
    if found.height == 1:
        return (*steps, GraphStep(node.name, (source,), found.curve, node.out))
    curve = GraphStep(node.inner("curve"), (source,), found.curve, node.out)
    return (*steps, curve, GraphStep(node.name, (curve.name,), _multiple(node, found.height, 1), node.out))


def _multiple(node: Node, factor: float, terms: int) -> Affine:
    factors = torch.full((1, *node.out), factor, dtype=torch.float64, device=node.device)
    return scaled(factors, node.out, node.out, terms=terms)


def _known(factor: Term) -> Gate | None:
    """The gate x * factor."""
    inner = factor.of[0] if factor.of else None
    if inner is None or not inner.is_multiple:
        return _by_clip(factor)
    if factor.core == "Sigmoid" and factor.is_multiple and inner.is_line and inner.scale:
        return Gate(factor.scale / inner.scale, inner.scale, SILU)
    if factor.core == "Erf" and factor.shift == factor.scale and inner.is_line and inner.scale:
        return Gate(math.sqrt(2) * factor.scale / inner.scale, math.sqrt(2) * inner.scale, GELU)
    if factor.core == "Tanh" and factor.is_multiple and inner.core == "Softplus":
        plain = inner.scale == 1 and inner.of[0].is_line and inner.of[0].is_multiple and inner.of[0].scale == 1
        return Gate(factor.scale, 1.0, MISH) if plain else None
    if factor.core == "Tanh" and factor.shift == factor.scale:
        rate = _rate_of_cube(inner)
        return None if rate is None else Gate(2 * factor.scale / rate, rate, TANH_GELU)
    return None


def _known_below(divisor: Term) -> Gate | None:
    """The gate x / divisor: 1 + |x| makes a softsign of it, 1 + exp(-x) a SiLU."""
    inner = divisor.of[0] if divisor.of else None
    if inner is None or divisor.scale != 1 or divisor.shift != 1 or not inner.is_line or not inner.is_multiple:
        return None
    if divisor.core == "Abs" and inner.scale:
        return Gate(1 / abs(inner.scale), abs(inner.scale), SOFTSIGN)
    return Gate(-1 / inner.scale, -inner.scale, SILU) if divisor.core == "Exp" and inner.scale else None


def _by_clip(factor: Term) -> Gate | None:
    """max(0, min(1, x / 6 + 1 / 2)), also as max(0, min(6, x + 3)) / 6."""
    if factor.core != "Clip" or not factor.is_multiple or not factor.of[0].is_line:
        return None
    inner, top = factor.of[0], factor.power
    rate = 6 * inner.scale / top
    return Gate(factor.scale * top / rate, rate, HARD_SWISH) if inner.shift == top / 2 and rate else None


def _rate_of_cube(inner: Term) -> float | None:
    """Of sqrt(2 / pi) (t + 0.044715 t^3) with t = rate x, its rate."""
    if inner.core != "sum":
        return None
    terms = {term.core: term for term in inner.of if term.is_multiple}
    line, cube = terms.get("x"), terms.get("power")
    if line is None or cube is None or cube.power != 3:
        return None
    rate = inner.scale * line.scale / SQUARE_ROOT_OF_2_OVER_PI
    expected = SQUARE_ROOT_OF_2_OVER_PI * CUBE * rate**3
    return rate if rate and _same(inner.scale * cube.scale, expected) else None


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=ROUNDED)


def _bases(node: Node) -> Iterator[str]:
    """The values that both factors may be made of: a factor, or what lies one node before it."""
    for name in node.proto.input:
        yield name
    for name in node.proto.input:
        maker = node.trace.makers.get(name)
        if maker is not None:
            yield from (source for source in maker.input if source in node.trace.shapes)
