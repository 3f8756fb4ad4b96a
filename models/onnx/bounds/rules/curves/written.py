"""The curves of one number that exporters write, each with its derivative and the places where its bend changes."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from models.onnx.bounds.graph.node import Node
from models.onnx.bounds.operators.operator import Curve
from models.onnx.bounds.rules.curves.bent import Bent
from models.onnx.bounds.rules.curves.convex import Square
from models.onnx.bounds.rules.curves.sigmoids import SCurve

HIGHEST_POWER = 64
SQUARE_ROOT_OF_2_OVER_PI = math.sqrt(2 / math.pi)
CUBE = 0.044715  # Hendrycks and Gimpel 2016, section 2


def _is_positive(lower: Tensor, upper: Tensor) -> Tensor:
    return (lower > 0) & torch.isfinite(upper)


def _is_not_negative(lower: Tensor, upper: Tensor) -> Tensor:
    return (lower >= 0) & torch.isfinite(upper)


def _has_a_sign(lower: Tensor, upper: Tensor) -> Tensor:
    return ((lower > 0) | (upper < 0)) & torch.isfinite(lower) & torch.isfinite(upper)


def softplus(x: Tensor) -> Tensor:
    """Compute log(1 + exp(x)), beyond 20 as well, where torch leaves the sum out."""
    return torch.logaddexp(x, torch.zeros_like(x))


EXP = Bent(torch.exp, torch.exp, ("convex",), is_monotone=True)
LOG = Bent(torch.log, torch.reciprocal, ("concave",), is_monotone=True, defined=_is_positive)
SQRT = Bent(torch.sqrt, lambda x: 0.5 * x.rsqrt(), ("concave",), is_monotone=True, defined=_is_not_negative)
RECIPROCAL = Bent(
    torch.reciprocal,
    lambda x: -x.reciprocal().square(),
    ("concave", "convex"),
    (0.0,),
    is_monotone=True,
    defined=_has_a_sign,
)
RECIPROCAL_ROOT = Bent(torch.rsqrt, lambda x: -0.5 * x.pow(-1.5), ("convex",), is_monotone=True, defined=_is_positive)
SOFTPLUS = Bent(softplus, torch.sigmoid, ("convex",), size=lambda x: 1 + x.abs(), is_monotone=True)
SOFTSIGN = SCurve(lambda x: x / (1 + x.abs()), lambda x: (1 + x.abs()).pow(-2), 0.0)


def _silu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def _sigmoid_gate_slope(x: Tensor) -> Tensor:
    share = torch.sigmoid(x)
    return share * (1 + x * (1 - share))


def _normal_gate_slope(x: Tensor) -> Tensor:
    return _normal_share(x) + x * torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)


def _normal_share(x: Tensor) -> Tensor:
    found: Tensor = torch.special.ndtr(x)
    return found


def _tanh_gate(x: Tensor) -> Tensor:
    return x * torch.sigmoid(2 * SQUARE_ROOT_OF_2_OVER_PI * (x + CUBE * x.pow(3)))


def _tanh_gate_slope(x: Tensor) -> Tensor:
    share = torch.sigmoid(2 * SQUARE_ROOT_OF_2_OVER_PI * (x + CUBE * x.pow(3)))
    return share + x * share * (1 - share) * 2 * SQUARE_ROOT_OF_2_OVER_PI * (1 + 3 * CUBE * x.square())


def _mish_slope(x: Tensor) -> Tensor:
    height = torch.tanh(softplus(x))
    return height + x * (1 - height.square()) * torch.sigmoid(x)


def _gate(value: object, slope: object, first: float, last: float) -> Bent:
    return Bent(value, slope, ("concave", "convex", "concave"), (first, last), torch.abs)  # type: ignore[arg-type]


# Where the second derivatives change their signs: by 40 digits, held to by a test.
GELU = _gate(lambda x: x * _normal_share(x), _normal_gate_slope, -math.sqrt(2), math.sqrt(2))
TANH_GELU = _gate(_tanh_gate, _tanh_gate_slope, -1.41850400879082836, 1.41850400879082836)
SILU = _gate(_silu, _sigmoid_gate_slope, -2.39935728051546767, 2.39935728051546767)
MISH = _gate(lambda x: x * torch.tanh(softplus(x)), _mish_slope, -2.25637639636079312, 1.49057117948542846)
HARD_SWISH = Bent(
    lambda x: x * (x / 6 + 0.5).clamp(0, 1),
    lambda x: torch.where(x < -3, 0.0, torch.where(x > 3, 1.0, x / 3 + 0.5)),
    ("straight", "convex", "straight"),
    (-3.0, 3.0),
    torch.abs,
)


def _exponential_below(scale: float, alpha: float, rate: float) -> Bent:
    """scale x above zero, scale alpha (exp(rate x) - 1) below."""

    def value(x: Tensor) -> Tensor:
        return scale * torch.where(x > 0, x, alpha * torch.expm1(rate * x.clamp(max=0)))

    def slope(x: Tensor) -> Tensor:
        return scale * torch.where(x > 0, 1.0, alpha * rate * torch.exp(rate * x.clamp(max=0)))

    level = scale * alpha
    return Bent(value, slope, ("convex", "straight"), (0.0,), lambda x: scale * x.abs() + level, is_monotone=True)


def _of_one(curve: Curve) -> Callable[[Node], Curve]:
    """A rule of a node that is this curve of its one input."""

    def rule(node: Node) -> Curve:
        node.shape(0)
        return curve

    return rule


exp, log, square_root, reciprocal = _of_one(EXP), _of_one(LOG), _of_one(SQRT), _of_one(RECIPROCAL)
soft_plus, soft_sign, mish, hard_swish = _of_one(SOFTPLUS), _of_one(SOFTSIGN), _of_one(MISH), _of_one(HARD_SWISH)


def elu(node: Node) -> Bent:
    return _exponential_below(1.0, _positive(node, "alpha", 1.0), 1.0)


def selu(node: Node) -> Bent:
    alpha, gamma = _positive(node, "alpha", 1.6732632423543772), _positive(node, "gamma", 1.0507009873554805)
    return _exponential_below(gamma, alpha, 1.0)


def celu(node: Node) -> Bent:
    alpha = _positive(node, "alpha", 1.0)
    return _exponential_below(1.0, alpha, 1 / alpha)


def _positive(node: Node, name: str, default: float) -> float:
    found = float(node.attribute(name, default))
    if not 0 < found < math.inf:
        raise node.unsupported(f"with {name} that is not positive")
    return found


def power(node: Node) -> Curve:
    """Take x^n for one constant n: whole, or any where x is positive."""
    node.operand(0)
    given = node.required(1)
    n = float(given.flatten()[0])
    if not bool((given == n).all()) or not abs(n) <= HIGHEST_POWER or n == 0:
        raise node.unsupported("with exponents other than one number that is not 0")
    return power_of(n)


def power_of(n: float) -> Curve:
    if n == 2:
        return Square()
    if known := {0.5: SQRT, -0.5: RECIPROCAL_ROOT, -1.0: RECIPROCAL}.get(n):
        return known
    is_whole, is_even = n == int(n), n % 2 == 0
    if n == 1:
        return Bent(lambda x: x, torch.ones_like, ("straight",), is_monotone=True)
    if not is_whole:
        defined = _is_not_negative if n > 0 else _is_positive
        bend = "concave" if 0 < n < 1 else "convex"
        return Bent(lambda x: x.pow(n), lambda x: n * x.pow(n - 1), (bend,), is_monotone=True, defined=defined)  # type: ignore[arg-type]
    below = "convex" if is_even else "concave"
    return Bent(
        lambda x: x.pow(int(n)),
        lambda x: n * x.pow(int(n) - 1),
        (below, "convex"),  # type: ignore[arg-type]
        (0.0,),
        is_monotone=not is_even,
        defined=Bent.defined if n > 0 else _has_a_sign,
    )
