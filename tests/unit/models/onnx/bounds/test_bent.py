"""Every curve of one number keeps within its lines and its interval, near and far, as onnxruntime computes it."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor

from models.onnx.bounds.operators.operator import Curve
from models.onnx.bounds.rules.curves import written
from models.onnx.bounds.rules.curves.bent import Bent
from models.onnx.bounds.rules.curves.waves import Wave
from models.onnx.bounds.rules.curves.written import power_of
from models.onnx.session import run, start
from tests.exports import graph

REACH = 12.0
BENT: dict[str, Bent] = {
    "exp": written.EXP,
    "log": written.LOG,
    "square root": written.SQRT,
    "reciprocal": written.RECIPROCAL,
    "reciprocal of a root": written.RECIPROCAL_ROOT,
    "softplus": written.SOFTPLUS,
    "gelu": written.GELU,
    "gelu by tanh": written.TANH_GELU,
    "silu": written.SILU,
    "mish": written.MISH,
    "hard swish": written.HARD_SWISH,
    "elu": written._exponential_below(1.0, 0.7, 1.0),
    "selu": written._exponential_below(1.0507, 1.6733, 1.0),
    "celu": written._exponential_below(1.0, 0.4, 2.5),
    **{f"power {n}": power_of(n) for n in (3.0, 4.0, 5.0, -2.0, -3.0, 1.0, 1.5, 0.3, -0.7)},  # type: ignore[dict-item]
}
CURVES: dict[str, tuple[Curve, Callable[[Tensor], Tensor]]] = {
    **{name: (curve, curve.value) for name, curve in BENT.items()},
    "softsign": (written.SOFTSIGN, written.SOFTSIGN.value),
    "sine": (Wave(0.0), torch.sin),
    "cosine": (Wave(torch.pi / 2), torch.cos),
}
every = pytest.mark.parametrize(("curve", "value"), CURVES.values(), ids=CURVES)


def intervals(curve: Curve) -> tuple[Tensor, Tensor]:
    """(R, 1) each: tiny and wide, on both sides of each turn, touching 0, and far out; where the curve is defined."""
    rng = np.random.default_rng(5)
    near = rng.normal(0, 3, 500), np.abs(rng.normal(0, 2, 500)) * rng.choice([0, 1e-9, 1e-5, 0.01, 1, 8], 500)
    far = rng.normal(0, 30, 100), np.abs(rng.normal(0, 40, 100))
    ends = [np.concatenate([a[0] + sign * a[1] for a in (near, far)]) for sign in (-1, 1)]
    from_zero = np.abs(rng.normal(0, 5, 100))
    lower = np.concatenate([ends[0], 0 * from_zero, -from_zero, np.abs(ends[0]) * 1e-3])
    upper = np.concatenate([ends[1], from_zero, 0 * from_zero, np.abs(ends[0]) * 1e-3 + np.abs(ends[1])])
    low, high = torch.tensor(lower)[:, None], torch.tensor(upper)[:, None]
    kept = curve.defined(low, high)[:, 0] if isinstance(curve, Bent) else torch.ones(len(low), dtype=torch.bool)
    assert kept.sum() > 300
    return low[kept], high[kept]


def within(lower: Tensor, upper: Tensor, count: int = 60) -> Tensor:
    """(R, count) points, many of them close to the ends."""
    shares = torch.linspace(0, 1, count, dtype=torch.float64)
    shares = torch.cat([shares, shares.pow(6), 1 - shares.pow(6)])
    return torch.minimum(torch.maximum(lower + (upper - lower) * shares, lower), upper)


@every
def test_no_point_of_a_curve_is_outside_its_lines_or_its_interval(curve: Curve, value) -> None:
    lower, upper = intervals(curve)
    lines, (least, most) = curve.relax(lower, upper), curve.interval(lower, upper)
    x = within(lower, upper)
    y = value(x)
    (below,), (above,) = lines.lower_slopes, lines.upper_slopes
    size = y.abs().amax(1, keepdim=True)
    slack = 1e-11 * (1 + size + torch.maximum(lower.abs(), upper.abs()) * torch.maximum(below.abs(), above.abs()))
    assert (below * x + lines.lower_offset <= y + slack).all()
    assert (above * x + lines.upper_offset >= y - slack).all()
    assert (least <= y + slack).all() and (most >= y - slack).all()


@every
def test_lines_and_intervals_touch_their_curve(curve: Curve, value) -> None:
    lower, upper = intervals(curve)
    usual = ((upper - lower < 8) & (torch.maximum(lower.abs(), upper.abs()) < REACH) & (lower.abs() > 1e-2))[:, 0]
    lower, upper = lower[usual], upper[usual]
    lines, (least, most) = curve.relax(lower, upper), curve.interval(lower, upper)
    x = within(lower, upper, 700)
    y = value(x)
    size = 1 + y.abs().amax(1)
    touches = (
        (y - lines.lower_slopes[0] * x - lines.lower_offset).amin(1) / size,
        (lines.upper_slopes[0] * x + lines.upper_offset - y).amin(1) / size,
        (y.amin(1) - least[:, 0]) / size,
        (most[:, 0] - y.amax(1)) / size,
    )
    assert max(float(gap.max()) for gap in touches) < 1e-3


@pytest.mark.parametrize("name", BENT)
def test_lines_are_no_worse_in_the_middle_than_levels(name: str) -> None:
    curve = BENT[name]
    lower, upper = intervals(curve)
    lines, (least, most) = curve.relax(lower, upper), curve.interval(lower, upper)
    middle = (lower + upper) / 2
    slack = 1e-9 * (1 + torch.maximum(least.abs(), most.abs()))
    far = upper - lower > 1e-3
    assert (lines.lower_slopes[0] * middle + lines.lower_offset >= least - slack)[far].all()
    assert (lines.upper_slopes[0] * middle + lines.upper_offset <= most + slack)[far].all()


@pytest.mark.parametrize("name", BENT)
def test_every_piece_has_the_bend_that_is_said_and_the_slope_is_the_derivative(name: str) -> None:
    curve = BENT[name]
    for bend, first, last in curve._pieces():
        start, end = max(first, -REACH), min(last, REACH)
        x = torch.linspace(start, end, 4001, dtype=torch.float64)[1:-1]
        x = x[curve.defined(x, x)].requires_grad_()
        (slope,) = torch.autograd.grad(curve.value(x).sum(), x)
        torch.testing.assert_close(curve.slope(x), slope, atol=1e-9, rtol=1e-9)
        rises = torch.diff(curve.slope(x.detach()))
        slack = 1e-13 * (1 + curve.slope(x.detach()).abs())[1:]
        assert {"convex": rises >= -slack, "concave": rises <= slack, "straight": rises.abs() <= slack}[bend].all()


@pytest.mark.parametrize(
    "name", ["log", "square root", "reciprocal", "reciprocal of a root", "power -2.0", "power 0.3"]
)
def test_where_a_curve_is_not_defined_nothing_is_known(name: str) -> None:
    curve = BENT[name]
    lower, upper = torch.tensor([[-1.0]]).double(), torch.tensor([[1.0]]).double()
    assert curve.interval(lower, upper) == (-torch.inf, torch.inf)
    lines = curve.relax(lower, upper)
    assert lines.lower_offset == -torch.inf and lines.upper_offset == torch.inf
    assert curve.error(lower, upper) == torch.inf


def served(nodes: list[onnx.NodeProto], x: np.ndarray, opset: int) -> np.ndarray:
    constants = {"one": np.float32(1), "half": np.float32(0.5), "root": np.float32(1.4142135)}
    outputs = [("y", TensorProto.FLOAT, ["N", 1000])]
    model = onnx.load_from_string(graph(nodes, ["N", 1000], outputs, constants, opset=opset))
    (y,) = run(start(model), "x", x.reshape(-1, 1000))
    return y.ravel().astype(np.float64)


def single(op: str, **attributes) -> list[onnx.NodeProto]:
    return [helper.make_node(op, ["x"], ["y"], **attributes)]


def chain(*nodes: tuple[str, str, str]) -> list[onnx.NodeProto]:
    return [helper.make_node(op, inputs.split(), [output]) for op, inputs, output in nodes]


SERVED: dict[str, tuple[list[onnx.NodeProto], int, Curve, Callable[[Tensor], Tensor]]] = {
    "exp": (single("Exp"), 13, *CURVES["exp"]),
    "log": (single("Log"), 13, *CURVES["log"]),
    "square root": (single("Sqrt"), 13, *CURVES["square root"]),
    "reciprocal": (single("Reciprocal"), 13, *CURVES["reciprocal"]),
    "softplus": (single("Softplus"), 13, *CURVES["softplus"]),
    "elu": (single("Elu", alpha=0.7), 13, *CURVES["elu"]),
    "selu": (single("Selu", alpha=1.6733, gamma=1.0507), 13, *CURVES["selu"]),
    "celu": (single("Celu", alpha=0.4), 13, *CURVES["celu"]),
    "mish": (single("Mish"), 18, *CURVES["mish"]),
    "sine": (single("Sin"), 13, *CURVES["sine"]),
    "cosine": (single("Cos"), 13, *CURVES["cosine"]),
    "gelu": (single("Gelu"), 20, *CURVES["gelu"]),
    "gelu by tanh": (single("Gelu", approximate="tanh"), 20, *CURVES["gelu by tanh"]),
    "gelu written out": (
        chain(
            ("Div", "x root", "r"),
            ("Erf", "r", "e"),
            ("Add", "e one", "p"),
            ("Mul", "x p", "q"),
            ("Mul", "q half", "y"),
        ),
        17,
        *CURVES["gelu"],
    ),
    "silu": (chain(("Sigmoid", "x", "s"), ("Mul", "x s", "y")), 17, *CURVES["silu"]),
    "hard swish": (single("HardSwish"), 14, *CURVES["hard swish"]),
    "softsign": (single("Softsign"), 13, *CURVES["softsign"]),
    "1 / root": (chain(("Sqrt", "x", "r"), ("Reciprocal", "r", "y")), 13, *CURVES["reciprocal of a root"]),
}


@pytest.mark.parametrize("name", SERVED)
def test_onnxruntime_is_within_half_of_the_error_that_is_allowed(name: str) -> None:
    nodes, opset, curve, value = SERVED[name]
    ends = np.geomspace(1e-20, 80, 6_000)
    x = np.concatenate([np.linspace(-20, 20, 38_000), ends, -ends]).astype(np.float32)
    inputs = torch.tensor(x.astype(np.float64))
    known = curve.defined(inputs, inputs) if isinstance(curve, Bent) else torch.ones(len(x), dtype=torch.bool)
    y = torch.tensor(served(nodes, x, opset))
    allowed = torch.zeros_like(inputs) + curve.error(inputs, inputs)
    assert ((y - value(inputs)).abs() <= allowed / 2)[known].all()
