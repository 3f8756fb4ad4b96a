"""Add, Sub, Mul and Div by constants, sums of two branches, Neg, and BatchNormalization in inference."""

from dataclasses import replace

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.operators.linear_maps import kept, scaled, transposed, without_signs
from models.onnx.bounds.operators.operator import Affine, GraphStep
from models.onnx.bounds.rules.mixing import normalizations, products


def add(node: Node) -> Affine | tuple[GraphStep, ...]:
    if node.depends(0) and node.depends(1):
        if node.operand(0) == node.operand(1):
            return Affine(torch.add, torch.add, lambda slopes: (slopes, slopes), terms=1)
        return without_signs(torch.add, node.operand(0), node.operand(1), terms=1)
    rows, constant = (0, 1) if node.depends(0) else (1, 0)
    bias = _written_out(node.spread(constant), node.out)
    if node.operand(rows) == node.out and (found := normalizations.add_epsilon(node, node.proto.input[rows], bias)):
        return found
    return _shifted(node.operand(rows), node.out, bias)


def subtract(node: Node) -> Affine:
    if node.depends(0) and node.depends(1):
        shapes = [node.operand(0), node.operand(1)]
        return Affine(torch.sub, torch.add, transposed(torch.sub, shapes), terms=1)
    if node.depends(0):
        return _shifted(node.operand(0), node.out, _written_out(-node.spread(1), node.out))
    minus = torch.full((1,) * (len(node.out) + 1), -1.0, dtype=torch.float64, device=node.device)
    return scaled(minus.expand(1, *node.out), node.operand(1), node.out, bias=_written_out(node.spread(0), node.out))


def multiply(node: Node) -> Affine | tuple[GraphStep, ...]:
    if node.depends(0) and node.depends(1):
        return products.multiply(node)
    rows, constant = (0, 1) if node.depends(0) else (1, 0)
    return scaled(node.spread(constant), node.operand(rows), node.out)


def divide(node: Node) -> Affine | tuple[GraphStep, ...]:
    if node.depends(1):
        return products.divide(node)
    return scaled(1 / node.spread(1), node.operand(0), node.out)


def negate(node: Node) -> Affine:
    minus = torch.full((1,) * (len(node.out) + 1), -1.0, dtype=torch.float64, device=node.device)
    return scaled(minus, node.shape(0), node.out, terms=0)


def normalize(node: Node) -> Affine:
    """Take gain (x - mean) / sqrt(variance + epsilon) + shift, channel by channel."""
    size = (1, -1) + (1,) * (len(node.out) - 1)
    gain, shift, mean, variance = (node.required(i).reshape(size) for i in range(1, 5))
    factors = gain / torch.sqrt(variance + node.attribute("epsilon", 1e-5))
    found = scaled(factors, node.shape(0), node.out, bias=_written_out(shift - factors * mean, node.out), terms=4)
    return replace(found, bias_size=_written_out(shift.abs() + (factors * mean).abs(), node.out))


def _shifted(source: Shape, out: Shape, bias: Tensor) -> Affine:
    if source == out:
        return kept(bias, terms=1)
    return without_signs(lambda x: x.expand(len(x), *out), source, bias=bias, terms=1)


def _written_out(constant: Tensor, out: Shape) -> Tensor:
    return constant.expand(1, *out).contiguous()
