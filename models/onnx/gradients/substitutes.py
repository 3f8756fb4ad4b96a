"""Substitutes for gradients of staircases, for attacks: a step answers as served, and is differentiated as another.

Rounding and casts to whole numbers go back as the identity (straight through), thresholds as a soft-sign, whose slope
1 / (1 + |u|)^2 at a distance u from the threshold never ends. Athalye et al. 2018 (arXiv:1802.00420), BPDA. What is
made of steps stays a floating-point number on the way, so that something can be differentiated. Numbers picked by a
computed index have no substitute.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

Function = Callable[..., Any]


class Substitutes(TorchFunctionMode):
    """While it is entered, steps of what carries a gradient are differentiated as their substitutes.

    Belongs to the thread that enters it. `met`: the steps, by their names in ONNX.
    """

    def __init__(self) -> None:
        super().__init__()
        self.met: set[str] = set()

    def __torch_function__(
        self, function: Function, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name, substitute = STEPS.get(function, ("", None))
        if substitute is None or kwargs or not any(map(_carries, args)) or _stays_a_fraction(function, args):
            return function(*args, **(kwargs or {}))
        self.met.add(name)
        return substitute(function, *args)


def _carries(value: Any) -> bool:
    return isinstance(value, Tensor) and value.requires_grad


def _stays_a_fraction(function: Function, args: Sequence[Any]) -> bool:
    """Whether it is a cast, and none to whole numbers or truth values."""
    kind = args[1] if function is torch.Tensor.to else torch.int32
    return not isinstance(kind, torch.dtype) or kind.is_floating_point


class _Through(torch.autograd.Function):
    """The numbers of the first, the gradient of the second."""

    @staticmethod
    def forward(ctx: Any, hard: Tensor, smooth: Tensor) -> Tensor:
        del ctx
        return hard.to(smooth.dtype, copy=True)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        del ctx
        return None, gradients[0]


def _through(hard: Tensor, smooth: Tensor) -> Tensor:
    out: Tensor = _Through.apply(hard.detach(), smooth)  # type: ignore[no-untyped-call]
    return out


def _straight(function: Function, value: Tensor) -> Tensor:
    return _through(function(value), value)


def _sign(function: Function, value: Tensor) -> Tensor:
    return _through(function(value), F.softsign(value))


def _above(function: Function, value: Any, threshold: Any) -> Tensor:
    return _through(function(value, threshold), F.softsign(value - threshold) / 2)


def _below(function: Function, value: Any, threshold: Any) -> Tensor:
    return _through(function(value, threshold), F.softsign(threshold - value) / 2)


def _cast(function: Function, value: Tensor, *kind: torch.dtype) -> Tensor:
    del function
    return _through(value.ne(0) if kind == (torch.bool,) else value.trunc(), value)


def _not(function: Function, value: Tensor) -> Tensor:
    del function
    return 1.0 - value


def _and(function: Function, one: Tensor, other: Tensor) -> Tensor:
    del function
    return one * 1.0 * other


def _or(function: Function, one: Tensor, other: Tensor) -> Tensor:
    return 1.0 - _and(function, 1.0 - 1.0 * one, 1.0 - 1.0 * other)


def _xor(function: Function, one: Tensor, other: Tensor) -> Tensor:
    del function
    return (1.0 * one - 1.0 * other).square()


def _choice(function: Function, condition: Tensor, one: Any, other: Any) -> Any:
    """Between values that follow the rows themselves it passes theirs; between constants it is a step."""
    chosen = function(condition.detach().ne(0) if condition.is_floating_point() else condition, one, other)
    if _carries(one) or _carries(other) or not _carries(condition):
        return chosen
    return _through(chosen, condition * (1.0 * one - 1.0 * other))


STEPS: dict[Function, tuple[str, Function]] = {
    torch.round: ("Round", _straight),
    torch.floor: ("Floor", _straight),
    torch.ceil: ("Ceil", _straight),
    torch.sign: ("Sign", _sign),
    torch.gt: ("Greater", _above),
    torch.ge: ("GreaterOrEqual", _above),
    torch.lt: ("Less", _below),
    torch.le: ("LessOrEqual", _below),
    torch.Tensor.to: ("Cast", _cast),
    torch.Tensor.int: ("Cast", _cast),
    torch.logical_not: ("Not", _not),
    torch.logical_and: ("And", _and),
    torch.logical_or: ("Or", _or),
    torch.logical_xor: ("Xor", _xor),
    torch.where: ("Where", _choice),
}
