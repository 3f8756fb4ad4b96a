"""Ways to make an `Affine` of plain torch functions."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.operators.operator import Affine


def transposed(apply: Callable[..., Tensor], shapes: Sequence[Shape]) -> Callable[[Slopes], tuple[Slopes, ...]]:
    """Transpose a linear function of rows of these shapes, by automatic differentiation at zero.

    Not by torch.func: at its first call that imports a compiler, which looks for a place for files, and a runner that
    is shut in has none.
    """

    def adjoint(slopes: Slopes) -> tuple[Slopes, ...]:
        numbers = slopes.whole().numbers
        zeros = [numbers.new_zeros(len(numbers), *shape, requires_grad=True) for shape in shapes]
        with torch.enable_grad():
            found = apply(*zeros)
        again = numbers.requires_grad  # whoever looks for better slopes differentiates what is pulled back
        pulled = torch.autograd.grad(found, zeros, numbers, create_graph=again, materialize_grads=True)
        return tuple(Slopes(part, shape) for part, shape in zip(pulled, shapes, strict=True))

    return adjoint


def without_signs(apply: Callable[..., Tensor], *shapes: Shape, bias: Tensor | None = None, terms: int = 0) -> Affine:
    """Make an operator of a linear function with no negative weight: it moves, adds up or averages."""
    return Affine(apply, apply, transposed(apply, shapes), bias, terms=terms)


def scaled(factors: Tensor, source: Shape, out: Shape, *, bias: Tensor | None = None, terms: int = 1) -> Affine:
    """Make y = factors * x + bias, elementwise; factors (1, *out) or broadcasting to it."""

    def apply(x: Tensor) -> Tensor:
        return x * factors

    every = factors.expand(1, *out).contiguous() if source == out else factors
    adjoint = (lambda s: (s.times(s.of(every)),)) if source == out else transposed(apply, [source])
    return Affine(apply, lambda x: x * factors.abs(), adjoint, bias, terms=terms)


def kept(bias: Tensor | None = None, terms: int = 0) -> Affine:
    """Make y = x + bias."""
    return Affine(lambda x: x, lambda x: x, lambda slopes: (slopes,), bias, terms=terms)
