"""What an operator is to bounds: affine in its inputs, or a curve between two lines.

Tensors have a leading axis: rows, or the objectives of a backward pass. All numbers are float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from models.onnx.bounds.slopes import Slopes


@dataclass(frozen=True)
class Affine:
    """y = L(inputs) + bias, with L linear and row by row alike."""

    apply: Callable[..., Tensor]  # L: (m, *in) each -> (m, *out)
    magnitude: Callable[..., Tensor]  # the same with the absolute values of its weights
    adjoint: Callable[[Slopes], tuple[Slopes, ...]]  # the transpose of L
    bias: Tensor | None = None  # (1, *out), all of it written out
    bias_size: Tensor | None = None  # (1, *out) sizes of what the bias was summed of; None: its own
    terms: int = 0  # roundings on the way to one number of the output; 0: values are only moved

    def offset_size(self) -> Tensor | float:
        """What rounding takes the bias for: terms that cancel in it were rounded before they did."""
        if self.bias_size is not None:
            return self.bias_size
        return 0.0 if self.bias is None else self.bias.abs()

    def offset(self) -> Tensor | float:
        return 0.0 if self.bias is None else self.bias


class Relaxed(Protocol):
    """An operator replaced by linear bounds, which hold for each of R rows on that row's interval of inputs."""

    def pull(self, slopes: Slopes, rows: Tensor) -> tuple[Slopes | None, Tensor]:
        """Lower bounds a.y >= a'.x + c of B objectives: a, rows (B,) -> a', c (B,).

        None in the place of a': the bound is a constant.
        """
        ...


class Curve(Protocol):
    """A nonlinear operator that never falls where an input grows."""

    def value(self, x: Tensor) -> Tensor:
        """(m, *in) -> (m, *out)"""
        ...

    def error(self, lower: Tensor, upper: Tensor) -> Tensor | float:
        """How far the float32 answer may be from `value` on inputs within the interval: 0 or (R, *out)."""
        ...

    def bends(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Where the lines around it depend on the interval: (R, *in) bool."""
        ...

    def matters(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Where the answers' interval depends on the inputs': (R, *in) bool."""
        ...

    def relax(self, lower: Tensor, upper: Tensor) -> Relaxed: ...


Operator = Affine | Curve
