"""Linear bounds of every curve lie below and above it on the whole interval, and touch where they should."""

import math
from collections.abc import Callable

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor

from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.operators.operator import Curve
from models.onnx.bounds.relaxations.families import Free
from models.onnx.bounds.rules.curves.convex import Absolute, Square
from models.onnx.bounds.rules.curves.rectifiers import Clamp, Rectifier
from models.onnx.bounds.rules.curves.sigmoids import ERROR, SCurve, erf, sigmoid, tanh
from models.onnx.session import run, start
from tests.exports import graph

S_CURVES: dict[str, SCurve] = {"sigmoid": sigmoid(None), "tanh": tanh(None), "erf": erf(None)}  # type: ignore[arg-type]
MONOTONE = {
    "relu": Rectifier(),
    "leaky relu": Rectifier(0.3),
    "clip": Clamp(-0.5, 1.0),
    "clip from below": Clamp(-0.5, math.inf),
    "clip from above": Clamp(-math.inf, 0.25),
    **S_CURVES,
}
# name -> what bounds know of the curve, and its values at points
CURVES: dict[str, tuple[Curve, Callable[[Tensor], Tensor]]] = {
    **{name: (curve, curve.value) for name, curve in MONOTONE.items()},
    "absolute": (Absolute(), torch.abs),
    "square": (Square(), torch.square),
}
curves = pytest.mark.parametrize(("curve", "value"), CURVES.values(), ids=CURVES)


def intervals() -> tuple[Tensor, Tensor]:
    """(R, 1) each: of all widths, on both sides of every knee, and some of no width."""
    rng = np.random.default_rng(5)
    middle, half = rng.normal(0, 3, 2000), np.abs(rng.normal(0, 2, 2000)) * rng.choice([0, 1e-9, 0.01, 1, 20], 2000)
    lower, upper = torch.tensor(middle - half)[:, None], torch.tensor(middle + half)[:, None]
    return lower, upper


def within(lower: Tensor, upper: Tensor, count: int) -> Tensor:
    """(R, count) points of each interval, its ends and its middle among them."""
    x = lower + (upper - lower) * torch.linspace(0, 1, count, dtype=torch.float64)
    return torch.minimum(x, upper)  # the last one may be beyond by a rounding


@curves
def test_no_point_of_a_curve_is_outside_its_linear_bounds(curve, value) -> None:
    lower, upper = intervals()
    bounds = curve.relax(lower, upper)
    x = within(lower, upper, 201)
    y = value(x)
    slack = 1e-12 * (1 + x.square())  # float64's own rounding
    assert (bounds.lower_slopes[0] * x + bounds.lower_offset <= y + slack).all()
    assert (bounds.upper_slopes[0] * x + bounds.upper_offset >= y - slack).all()


@pytest.mark.parametrize("name", ["relu", "leaky relu", "clip", "clip from below", "clip from above", "absolute"])
def test_whatever_share_a_curve_leaves_free_is_sound(name: str) -> None:
    (curve, value), (lower, upper) = CURVES[name], intervals()
    free = curve.relax(lower, upper)
    assert isinstance(free, Free)
    slopes, rows = Slopes(torch.ones_like(lower), (1,)), torch.arange(len(lower))
    picked, x = free.pick(slopes, rows), within(lower, upper, 101)
    slack = 1e-12 * (1 + x.square())
    for draw in range(4):
        shares = torch.rand(lower.shape, generator=torch.Generator().manual_seed(draw), dtype=torch.float64)
        for sign in (1.0, -1.0):
            (part,), offset = picked.at(shares).backward(slopes.times(torch.full((len(lower),), sign)), rows)
            assert (part.numbers * x + offset[:, None] <= sign * value(x) + slack).all()


@curves
def test_both_linear_bounds_touch_their_curve(curve, value) -> None:
    """One that could be moved closer as it is would be waste."""
    lower, upper = intervals()
    bounds = curve.relax(lower, upper)
    x = within(lower, upper, 2001)
    below = (value(x) - bounds.lower_slopes[0] * x - bounds.lower_offset).amin(1)
    above = (bounds.upper_slopes[0] * x + bounds.upper_offset - value(x)).amin(1)
    assert max(below.max(), above.max()) < 1e-3


@curves
def test_the_interval_of_a_curve_is_what_its_values_take(curve, value) -> None:
    lower, upper = intervals()
    least, most = curve.interval(lower, upper)
    y = value(within(lower, upper, 2001))
    assert (least <= y + 1e-12).all() and (most >= y - 1e-12).all()
    assert (y.amin(1, keepdim=True) - least <= (upper - lower) / 1000).all(), "as near as points lie"
    assert (most - y.amax(1, keepdim=True) <= 1e-9).all()


def test_a_relu_takes_the_lower_line_that_wastes_the_smaller_area() -> None:
    lower, upper = torch.tensor([[-1.0], [-3.0]], dtype=torch.float64), torch.tensor([[3.0], [1.0]]).double()
    bounds = Rectifier().relax(lower, upper)
    assert bounds.lower_slopes[0].flatten().tolist() == [1.0, 0.0]
    assert bounds.upper_slopes[0].flatten().tolist() == [0.75, 0.25]
    assert bounds.upper_offset.flatten().tolist() == [0.75, 0.75]


@pytest.mark.parametrize(("op", "curve"), [(name.title(), curve) for name, curve in S_CURVES.items()], ids=S_CURVES)
def test_onnxruntime_computes_s_curves_well_within_the_error_allowed(op: str, curve: SCurve) -> None:
    nodes = [helper.make_node(op, ["x"], ["y"])]
    session = start(onnx.load_from_string(graph(nodes, ["N", 1000], [("y", TensorProto.FLOAT, ["N", 1000])])))
    x = np.concatenate([np.linspace(-30, 30, 400_000), np.geomspace(1e-30, 100, 100_000)]).astype(np.float32)
    (y,) = run(session, "x", x.reshape(-1, 1000))
    truth = curve.value(torch.tensor(x.astype(np.float64))).numpy()
    assert np.abs(y.ravel() - truth).max() < ERROR / 2
