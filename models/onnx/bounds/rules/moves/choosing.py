"""Where by a constant mask, and the comparison that exporters write around a soft-plus."""

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.operators.linear_maps import without_signs
from models.onnx.bounds.operators.operator import Affine, GraphStep
from models.onnx.bounds.rules.curves.written import SOFTPLUS

LINEAR_FROM = 16.0  # beyond it log(1 + exp(x)) is x, as far as float32 can tell


def choose(node: Node) -> Affine | tuple[GraphStep, ...]:
    """Take x where a constant mask holds and y elsewhere; either may be constant, too."""
    if node.depends(0):
        return _softplus(node)
    mask = node.spread(0) != 0

    def chosen(*parts: Tensor) -> Tensor:
        rows = iter(parts)
        x, y = (next(rows) if node.depends(i) else parts[0].new_zeros(()) for i in (1, 2))
        return torch.where(mask, x, y).expand(len(parts[0]), *node.out)

    nothing = torch.zeros_like(mask, dtype=torch.float64)
    x, y = (nothing if node.depends(i) else node.spread(i) for i in (1, 2))
    bias = torch.where(mask, x, y).expand(1, *node.out).contiguous()
    if not bool(torch.isfinite(bias).all()):
        raise node.unsupported("of infinite constants")
    return without_signs(chosen, *(node.operand(i) for i in (1, 2) if node.depends(i)), bias=bias)


def compare(node: Node) -> tuple[GraphStep, ...]:
    """Make no step: only a Where that knows what is compared may read the answer."""
    del node
    return ()


def _softplus(node: Node) -> tuple[GraphStep, ...]:
    """x where x > 20, else log(1 + exp(x))."""
    test, curve = node.maker(0), node.maker(2)
    if test is None or curve is None or test.proto.op_type != "Greater" or curve.proto.op_type != "Softplus":
        raise node.unsupported("by a value that depends on the rows")
    source = curve.proto.input[0]
    limit = test.array(1) if test.sources == (source,) and test.depends(0) else None
    if limit is None or limit.min() < LINEAR_FROM or node.proto.input[1] != source or curve.out != node.out:
        raise node.unsupported("by a value that depends on the rows")
    return (GraphStep(node.name, (source,), SOFTPLUS, node.out),)
