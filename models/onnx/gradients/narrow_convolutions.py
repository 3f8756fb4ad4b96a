"""Convolutions of few channels, as an image's first one is, with a backward pass of their own: several times as fast.

oneDNN goes back through a convolution in blocks of 16 input channels, whatever there is to fill them with. Fewer
channels than that are better served by the textbook: the gradient by each window's columns is one matrix product, and
windows that overlap are added up (`fold`). `benchmarks/jacobian_ways.py` has the figures.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

CHANNELS = 4  # measured: columns win up to here, at kernels of 3 to 7
COLUMNS = 256  # channels x kernel, at most: that many times the output is held


def are_narrow(weights: Iterable[Tensor]) -> bool:
    """Tell whether any of a module's tensors could be the weights of such a convolution."""
    return any(_is_narrow(weight) for weight in weights)


def _is_narrow(weight: Tensor) -> bool:
    return weight.dim() == 4 and weight.shape[1] <= CHANNELS and weight[0].numel() <= COLUMNS


class NarrowConvolutions(TorchFunctionMode):
    """While it is entered, `conv2d` of few channels goes back by columns. Belongs to the thread that enters it."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        return (_conv2d if function is F.conv2d else function)(*args, **(kwargs or {}))


def _conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    if groups != 1 or isinstance(padding, str) or not _is_narrow(weight):
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    out: Tensor = _ByColumns.apply(x, weight, bias, stride, padding, dilation)  # type: ignore[no-untyped-call]
    return out


class _ByColumns(torch.autograd.Function):
    """Differentiable by x alone, once."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, *where: Any) -> Tensor:
        ctx.columns = weight.flatten(1).t()  # (channels x kernel, out)
        ctx.size, ctx.kernel, ctx.where = x.shape[2:], weight.shape[2:], where
        return F.conv2d(x, weight, bias, *where)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        stride, padding, dilation = ctx.where
        columns = ctx.columns @ gradients[0].flatten(2)  # (n, channels x kernel, windows)
        by_x = F.fold(columns, ctx.size, ctx.kernel, dilation=dilation, padding=padding, stride=stride)
        return by_x, None, None, None, None, None
