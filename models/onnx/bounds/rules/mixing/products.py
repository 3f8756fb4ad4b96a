"""Mul and Div of two values, MatMul of two values, and Gelu by its name."""

from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.operators.linear_maps import scaled, without_signs
from models.onnx.bounds.operators.matrix_products import MatrixProduct, SpreadOut
from models.onnx.bounds.operators.operator import Curve, GraphStep
from models.onnx.bounds.relaxations.products import Product
from models.onnx.bounds.rules.curves.convex import Square
from models.onnx.bounds.rules.curves.gates import Gate, gate, gate_steps
from models.onnx.bounds.rules.curves.written import GELU, RECIPROCAL, SILU, TANH_GELU


def multiply(node: Node) -> tuple[GraphStep, ...]:
    """Square a value, read a gate as one curve, or multiply two, each widened first where the product is wider."""
    if len(set(node.sources)) == 1:
        return (GraphStep(node.name, node.sources[:1], Square(), node.out),)
    return gate(node) or _product(node, node.sources[0], node.sources[1], (node.operand(0), node.operand(1)))


def divide(node: Node) -> tuple[GraphStep, ...]:
    """Read a gate as one curve, or multiply by the reciprocal."""
    if node.depends(0) and (found := gate(node)):
        return found
    inverse = GraphStep(node.inner("inverse"), (node.proto.input[1],), RECIPROCAL, node.operand(1))
    if node.depends(0):
        return (inverse, *_product(node, node.proto.input[0], inverse.name, (node.operand(0), node.operand(1))))
    operator = scaled(node.spread(0), node.operand(1), node.out)
    return (inverse, GraphStep(node.name, (inverse.name,), operator, node.out))


def _product(node: Node, one: str, other: str, shapes: tuple[Shape, Shape]) -> tuple[GraphStep, ...]:
    wider = [_widened(node, i, name, shape) for i, (name, shape) in enumerate(zip((one, other), shapes, strict=True))]
    factors = (wider[0].name if wider[0] else one, wider[1].name if wider[1] else other)
    return (*(step for step in wider if step), GraphStep(node.name, factors, Product(), node.out))


def _widened(node: Node, i: int, source: str, shape: Shape) -> GraphStep | None:
    if shape == node.out:
        return None
    expand = without_signs(lambda x: x.expand(len(x), *node.out), shape)
    return GraphStep(node.inner(f"factor {i}"), (source,), expand, node.out)


def multiply_matrices(node: Node) -> MatrixProduct:
    """Take the products of all rows and columns, number by number, and sum them up: attention's scores and answers."""
    left, right = node.shape(0), node.shape(1)
    if min(len(left), len(right), len(node.out)) < 2:
        raise node.unsupported("of two values over the batch axis")
    whole = (*node.out[:-1], left[-1], node.out[-1])  # (..., m, k, n)
    missing = [(1,) * (len(node.out) - len(shape)) for shape in (left, right)]

    def rows(x: Tensor) -> Tensor:
        return x.reshape(len(x), *missing[0], *left, 1).expand(len(x), *whole)

    def columns(x: Tensor) -> Tensor:
        return x.reshape(len(x), *missing[1], *right[:-2], 1, *right[-2:]).expand(len(x), *whole)

    return MatrixProduct(SpreadOut(rows, left), SpreadOut(columns, right), whole, len(whole) - 2, node.out)


def gelu(node: Node) -> Curve:
    """Take x (1 + erf(x / sqrt(2))) / 2, or the approximation of it by tanh."""
    node.shape(0)
    return {b"none": GELU, b"tanh": TANH_GELU}[node.attribute("approximate", b"none")]


def swish(node: Node) -> tuple[GraphStep, ...]:
    """Take x sigmoid(alpha x)."""
    node.shape(0)
    alpha = float(node.attribute("alpha", 1.0))
    if not alpha:
        raise node.unsupported("with alpha 0")
    return gate_steps(node, node.sources[0], Gate(1 / alpha, alpha, SILU))
