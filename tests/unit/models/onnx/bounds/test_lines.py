"""The two lines around every curve lie below and above it on the whole interval, and touch where they should."""

import math

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import Tensor

from models.onnx.bounds.operators import Curve
from models.onnx.bounds.rules.rectifiers import Clamp, Rectifier
from models.onnx.bounds.rules.sigmoids import ERROR, SCurve, sigmoid, tanh
from models.onnx.session import run, start
from tests.exports import graph

S_CURVES: dict[str, SCurve] = {"sigmoid": sigmoid(None), "tanh": tanh(None)}  # type: ignore[arg-type]
CURVES: dict[str, Curve] = {
    "relu": Rectifier(),
    "leaky relu": Rectifier(0.3),
    "clip": Clamp(-0.5, 1.0),
    "clip from below": Clamp(-0.5, math.inf),
    "clip from above": Clamp(-math.inf, 0.25),
    **S_CURVES,
}


def intervals() -> tuple[Tensor, Tensor]:
    """(R, 1) each: of all widths, on both sides of every knee, and some of no width."""
    rng = np.random.default_rng(5)
    middle, half = rng.normal(0, 3, 2000), np.abs(rng.normal(0, 2, 2000)) * rng.choice([0, 1e-9, 0.01, 1, 20], 2000)
    lower, upper = torch.tensor(middle - half)[:, None], torch.tensor(middle + half)[:, None]
    return lower, upper


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_no_point_of_a_curve_is_outside_its_lines(curve: Curve) -> None:
    lower, upper = intervals()
    lines = curve.relax(lower, upper)
    x = lower + (upper - lower) * torch.linspace(0, 1, 201, dtype=torch.float64)
    y = curve.value(x)
    slack = 1e-12 * (1 + x.abs())  # float64's own rounding
    assert (lines.lower_slope * x + lines.lower_offset <= y + slack).all()
    assert (lines.upper_slope * x + lines.upper_offset >= y - slack).all()


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_both_lines_touch_their_curve(curve: Curve) -> None:
    """A line that could be moved closer as it is would be waste."""
    lower, upper = intervals()
    lines = curve.relax(lower, upper)
    x = lower + (upper - lower) * torch.linspace(0, 1, 2001, dtype=torch.float64)
    below = (curve.value(x) - lines.lower_slope * x - lines.lower_offset).amin(1)
    above = (lines.upper_slope * x + lines.upper_offset - curve.value(x)).amin(1)
    assert max(below.max(), above.max()) < 1e-3


def test_a_relu_takes_the_lower_line_that_wastes_the_smaller_area() -> None:
    lower, upper = torch.tensor([[-1.0], [-3.0]], dtype=torch.float64), torch.tensor([[3.0], [1.0]]).double()
    lines = Rectifier().relax(lower, upper)
    assert lines.lower_slope.flatten().tolist() == [1.0, 0.0]
    assert lines.upper_slope.flatten().tolist() == [0.75, 0.25]
    assert lines.upper_offset.flatten().tolist() == [0.75, 0.75]


@pytest.mark.parametrize(("op", "curve"), [("Sigmoid", S_CURVES["sigmoid"]), ("Tanh", S_CURVES["tanh"])])
def test_onnxruntime_computes_s_curves_well_within_the_error_allowed(op: str, curve: SCurve) -> None:
    nodes = [helper.make_node(op, ["x"], ["y"])]
    session = start(onnx.load_from_string(graph(nodes, ["N", 1000], [("y", TensorProto.FLOAT, ["N", 1000])])))
    x = np.concatenate([np.linspace(-30, 30, 400_000), np.geomspace(1e-30, 100, 100_000)]).astype(np.float32)
    (y,) = run(session, "x", x.reshape(-1, 1000))
    truth = curve.value(torch.tensor(x.astype(np.float64))).numpy()
    assert np.abs(y.ravel() - truth).max() < ERROR / 2
