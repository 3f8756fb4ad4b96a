"""What is unknown stays unknown: no operator behind an unknown one makes a number without end, or a score, of it."""

import math

import numpy as np
import pytest
from onnx import helper

from algorithms.errors import Refused
from models.onnx.graph import ML
from models.onnx.inspection import inspect
from models.onnx.reading.operation import Operation
from models.onnx.reading.ranges import ANY, UNKNOWN, Range
from models.onnx.reading.rules.affine import HEAD
from models.onnx.reading.rules.table import LEARNED, RULES
from tests.unit.models.onnx.test_one_number import exported, node

# Of many numbers whatever they are: a linear layer, or what is one for all that is known.
LINEAR = {op for op in RULES if op.endswith(("Integer", "QLinearConv", "QLinearMatMul"))} | {
    *("ConvTranspose", "Einsum", "GroupNormalization", "InstanceNormalization", "LayerNormalization"),
}
PLACES = {"ArgMax", "ArgMin", "TopK"}  # from 0 on
BOUNDED_ABOVE = {"LogSoftmax"}
SCALAR, ONE = np.array([0.25], np.float32), np.ones(1, np.float32)
OTHERS = {
    "BatchNormalization": [ONE, ONE, ONE, ONE],
    "Clip": [np.float32(0)],
    "Conv": [np.ones((1, 1, 1, 1), np.float32)],
    "DequantizeLinear": [np.float32(0.1), np.uint8(3)],
    "Gather": [np.int64(0)],
    "Gemm": [np.ones((1, 1), np.float32)],
    "MatMul": [np.ones((1, 1), np.float32)],
    "Max": [np.float32(0)],
    "Pow": [np.float32(3)],
    "QuantizeLinear": [np.float32(0.1), np.uint8(3)],
    **{op: [SCALAR] for op in ("Add", "Div", "Mean", "Min", "Mul", "PRelu", "Sub", "Sum")},
}


def found(op: str, given: Range, others: list[np.ndarray], **attributes) -> list[Range]:
    names = [f"c{i}" for i in range(len(others))]
    proto = helper.make_node(op, ["x", *names], ["y"], **attributes)
    values = dict(zip(names, map(np.asarray, others), strict=True))
    known = {name: Range(float(v.min()), float(v.max())) for name, v in values.items()}
    shapes = {"x": [0, 1]} | {name: list(v.shape) for name, v in values.items()}
    table = LEARNED if op in LEARNED else RULES
    made = table[op](Operation(proto, 17, {"x": given} | known, values, shapes, {}))
    return list(made) if isinstance(made, tuple) else [made]


@pytest.mark.parametrize("op", sorted(set(RULES) - LINEAR - PLACES - BOUNDED_ABOVE - {"DynamicQuantizeLinear"}))
def test_nothing_without_end_is_made_of_what_is_unknown(op: str) -> None:
    for each in found(op, UNKNOWN, OTHERS.get(op, [])):
        assert not each.is_score
        assert not each.is_known or each.is_finite


@pytest.mark.parametrize("exponent", [-3, -2, -1, 0, 2, 3, 0.5])
def test_no_power_makes_a_number_without_end_of_what_is_unknown(exponent: float) -> None:
    (each,) = found("Pow", UNKNOWN, [np.float32(exponent)])
    assert not each.is_known or each.is_finite


def test_what_is_known_to_have_no_end_keeps_none() -> None:
    for op, others in (("LeakyRelu", []), ("Pow", [np.float32(3)]), ("Mul", [SCALAR]), ("Softsign", [])):
        (each,) = found(op, ANY, others)
        assert each.is_known
        assert (each.low, each.high) == ((-1, 1) if op == "Softsign" else (-math.inf, math.inf))
    assert found("Add", HEAD, [SCALAR])[0].is_score


def test_a_linear_model_of_one_probability_is_an_affine_map_of_it() -> None:
    (each,) = found("LinearRegressor", Range(0.0, 1.0), [], coefficients=[10.0], intercepts=[-3.0])
    assert (each.low, each.high, each.is_score) == (-3, 7, False)
    assert found("LinearRegressor", ANY, [], coefficients=[10.0], intercepts=[-3.0])[0].is_score


def test_the_largest_of_a_row_may_be_smaller_than_others_are_negative() -> None:
    """[-3, 1] divided by its largest is [-3, 1]."""
    assert found("Normalizer", Range(-1.0, 1.0), [], norm="MAX", domain=ML) == [UNKNOWN]
    assert found("Normalizer", Range(-1.0, 1.0), [], norm="L2", domain=ML) == [Range(-1.0, 1.0)]


@pytest.mark.parametrize(
    "bend",
    [[node("LeakyRelu", "m", "v", alpha=0.5)], [node("Pow", "m three", "v")], [node("Mul", "m hundred", "v")]],
    ids=["leaky relu", "cube", "percent"],
)
def test_a_number_behind_an_unknown_operator_is_no_logit(bend: list) -> None:
    """A remainder lies between -1 and 1, which no rule says: 100 times what is made of it is cut nowhere."""
    shift = [node("Mul", "v hundred", "w"), node("Sub", "w third", "y")]
    with pytest.raises(Refused, match="nothing says what it means"):
        inspect(exported((1, [node("Mod", "z one", "m", fmod=1), *bend, *shift])), preprocessing=None, device="cpu")
