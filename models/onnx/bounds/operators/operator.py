"""What an operator is to bounds: affine in its inputs, a curve of one input, or a product of two.

A node of a graph is one of these, or a few steps of them: x sigmoid(x) is a curve and a product. Tensors have a leading
axis: rows, or the objectives of a backward pass. All numbers are float64.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from models.onnx.bounds.graph.tracing import Shape
from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.relaxations.products import Product
from models.onnx.bounds.relaxations.relaxed import Intervals, Relaxed


@dataclass(frozen=True)
class Affine:
    """An affine operator is y = L(inputs) + bias, with L linear and row by row alike."""

    apply: Callable[..., Tensor]  # L: (m, *in) each -> (m, *out)
    magnitude: Callable[..., Tensor]  # the same with the absolute values of its weights
    adjoint: Callable[[Slopes], tuple[Slopes, ...]]  # the transpose of L
    bias: Tensor | None = None  # (1, *out), all of it written out
    bias_size: Tensor | None = None  # (1, *out) sizes of what the bias was summed of; None: its own
    sizes: Callable[..., Tensor] | None = None  # of largest |inputs|, what is summed on the way; None: the magnitude
    terms: int = 0  # roundings on the way to one number of the output; 0: values are only moved

    def offset_size(self) -> Tensor | float:
        """Say what rounding takes the bias for: terms that cancel in it were rounded before they did."""
        if self.bias_size is not None:
            return self.bias_size
        return 0.0 if self.bias is None else self.bias.abs()

    def offset(self) -> Tensor | float:
        """Give the bias, or 0 where there is none."""
        return 0.0 if self.bias is None else self.bias


class Curve(Protocol):
    """A curve is a nonlinear operator of one input, known by what encloses it where the input has two bounds."""

    def interval(self, lower: Tensor, upper: Tensor) -> Intervals:
        """Find the least and largest answers within the interval (R, *in), in real arithmetic: (R, *out) each."""
        ...

    def error(self, lower: Tensor, upper: Tensor) -> Tensor | float:
        """Bound how far the float32 answer may be from the real one within the interval: 0 or (R, *out)."""
        ...

    def unstable(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where the linear bounds depend on the interval: (R, *in) bool."""
        ...

    def sensitive(self, lower: Tensor, upper: Tensor) -> Tensor:
        """Tell where the answers' interval depends on the inputs': (R, *in) bool."""
        ...

    def relax(self, lower: Tensor, upper: Tensor) -> Relaxed:
        """Make linear bounds that hold for all inputs within the interval."""
        ...


Operator = Affine | Curve | Product


@dataclass(frozen=True)
class GraphStep:
    """A step makes one value of others by one operator. A node takes one step, or a few whose values are its own."""

    name: str  # of the value it makes
    sources: tuple[str, ...]
    operator: Operator
    shape: Shape  # of one row of the value
