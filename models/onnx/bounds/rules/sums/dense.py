"""Gemm and MatMul by constant weights; MatMul of two values is in `rules/mixing/products.py`."""

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.operators.linear_maps import transposed
from models.onnx.bounds.operators.matrix_products import MatrixProduct
from models.onnx.bounds.operators.operator import Affine
from models.onnx.bounds.rules.mixing.products import multiply_matrices


def gemm(node: Node) -> Affine:
    """Take alpha x W + beta c."""
    if node.attribute("transA", 0):
        raise node.unsupported("with transposed rows")
    node.shape(0)
    weights = node.required(1) * node.attribute("alpha", 1.0)
    weights = weights.T if node.attribute("transB", 0) else weights  # (k, n)
    bias = None if node.array(2) is None else (node.spread(2) * node.attribute("beta", 1.0)).expand(1, *node.out)
    return _from_the_right(weights, bias)


def matmul(node: Node) -> Affine | MatrixProduct:
    """Multiply by a constant matrix, from the right or the left, or two values with each other."""
    if node.depends(0) and node.depends(1):
        return multiply_matrices(node)
    if not node.depends(0):
        return _from_the_left(node)
    weights = _weights(node, 1)
    if weights.dim() == 2:
        return _from_the_right(weights, None)

    def apply(x: Tensor) -> Tensor:
        return torch.matmul(x, weights)

    adjoint = transposed(apply, [node.shape(0)])
    return Affine(apply, lambda x: torch.matmul(x, weights.abs()), adjoint, terms=node.shape(0)[-1])


def _weights(node: Node, i: int) -> Tensor:
    """(..., p, q), the same for every row: as many as there are rows where an export repeats them for each."""
    weights = node.required(i)
    return node.spread(i) if weights.dim() == 1 + len(node.out) > 2 else weights


def _from_the_right(weights: Tensor, bias: Tensor | None) -> Affine:
    """x (m, ..., k), weights (k, n)"""
    back, sizes = weights.T.contiguous(), weights.abs()
    return Affine(
        lambda x: x @ weights,
        lambda x: x @ sizes,
        lambda slopes: (_by_matrix(slopes, back),),
        bias,
        terms=len(weights) + 1,
    )


def _by_matrix(slopes: Slopes, matrix: Tensor) -> Slopes:
    numbers = slopes.whole().numbers @ matrix
    return Slopes(numbers, tuple(numbers.shape[1:]))


def _from_the_left(node: Node) -> Affine:
    """weights (p, k), x (m, k, n)"""
    weights, source = _weights(node, 0), node.shape(1)
    if len(source) < 2:
        raise node.unsupported("over the batch axis")

    def apply(x: Tensor) -> Tensor:
        return torch.matmul(weights, x)

    adjoint = transposed(apply, [source])
    return Affine(apply, lambda x: torch.matmul(weights.abs(), x), adjoint, terms=source[-2])
