"""Mul of two values, and the gates that are products: HardSwish and Gelu."""

import math

import torch

from models.onnx.bounds.linear_maps import scaled, without_signs
from models.onnx.bounds.node import Node
from models.onnx.bounds.operators import Affine, GraphStep
from models.onnx.bounds.products import Product
from models.onnx.bounds.rules.convex import Square
from models.onnx.bounds.rules.rectifiers import Clamp
from models.onnx.bounds.rules.sigmoids import erf


def multiply(node: Node) -> tuple[GraphStep, ...]:
    """Square a value, or multiply two, each widened first where the product is wider."""
    if len(set(node.sources)) == 1:
        return (GraphStep(node.name, node.sources[:1], Square(), node.out),)
    wider = [_widened(node, i) for i in (0, 1)]
    factors = (wider[0].name if wider[0] else node.sources[0], wider[1].name if wider[1] else node.sources[1])
    return (*(step for step in wider if step), GraphStep(node.name, factors, Product(), node.out))


def _widened(node: Node, i: int) -> GraphStep | None:
    source = node.operand(i)
    if source == node.out:
        return None
    expand = without_signs(lambda x: x.expand(len(x), *node.out), source)
    return GraphStep(node.inner(f"factor {i}"), (node.sources[i],), expand, node.out)


def hard_sigmoid(node: Node) -> tuple[GraphStep, ...]:
    """Take max(0, min(1, alpha x + beta))."""
    return _hard_sigmoid(node, node.name, node.attribute("alpha", 0.2), node.attribute("beta", 0.5))


def hard_swish(node: Node) -> tuple[GraphStep, ...]:
    """Take x max(0, min(1, x / 6 + 1 / 2))."""
    gate = node.inner("gate")
    return (*_hard_sigmoid(node, gate, 1 / 6, 0.5), _gated(node, gate))


def _hard_sigmoid(node: Node, name: str, alpha: float, beta: float) -> tuple[GraphStep, ...]:
    line = node.inner("line")
    return (
        GraphStep(line, node.sources, _line(node, alpha, beta), node.out),
        GraphStep(name, (line,), Clamp(0.0, 1.0), node.out),
    )


def gelu(node: Node) -> tuple[GraphStep, ...]:
    """Take x (1 + erf(x / sqrt(2))) / 2."""
    if node.attribute("approximate", b"none") != b"none":
        raise node.unsupported("by its approximation")
    line, curve, gate = (node.inner(what) for what in ("line", "curve", "gate"))
    return (
        GraphStep(line, node.sources, _line(node, math.sqrt(0.5), 0.0), node.out),
        GraphStep(curve, (line,), erf(node), node.out),
        GraphStep(gate, (curve,), _line(node, 0.5, 0.5), node.out),
        _gated(node, gate),
    )


def _gated(node: Node, gate: str) -> GraphStep:
    return GraphStep(node.name, (*node.sources, gate), Product(), node.out)


def _line(node: Node, slope: float, offset: float) -> Affine:
    """Take slope x + offset: two roundings of the line, one of its numbers."""
    size = (1, *node.out)
    factors = torch.full(size, slope, dtype=torch.float64, device=node.device)
    return scaled(factors, node.shape(0), node.out, bias=torch.full_like(factors, offset), terms=3)
