"""Which graphs are shown to be twice differentiable, and what is named where one is not."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.onnx.gradients.smoothness import kinks
from tests.exports import graph

CONSTANTS = {
    "W": np.ones((3, 3), np.float32),
    "one": np.float32(1.0),
    "half": np.float32(0.5),
    "minus": np.float32(-1.0),
    "two": np.float32(2.0),
    "three": np.float32(3.0),
    "tiny": np.float32(1e-5),
    "zero": np.int64(0),
    "scale": np.ones(3, np.float32),
    "shape": np.array([-1, 3], np.int64),
    "mask": np.array([True, False, True]),
}


def read(*steps: str) -> tuple[str, ...]:
    """Of a graph written as `Op a b > c`; the last value is the answer."""
    nodes = []
    for step in steps:
        (op, *inputs), (out,) = (part.split() for part in step.split(">"))
        op, *given = op.split(":")
        attributes = {
            name: float(value) if "." in value else int(value) for name, value in (g.split("=") for g in given)
        }
        nodes.append(helper.make_node(op, inputs, [out], **attributes))
    data = graph(nodes, ["N", 3], [(nodes[-1].output[0], TensorProto.FLOAT, None)], CONSTANTS, opset=20)
    return kinks(onnx.load_from_string(data))


@pytest.mark.parametrize(
    "steps",
    [
        ["Gemm x W > a", "Tanh a > b", "Sigmoid b > c", "Softplus c > d", "MatMul d W > z"],
        ["Div x two > a", "Erf a > b", "Add b one > c", "Mul x c > d", "Mul d half > z"],  # GELU by hand
        ["Sigmoid x > a", "Mul x a > z"],  # SiLU
        ["Gelu x > z"],
        ["Softmax x > a", "Log a > z"],
        ["Neg x > a", "Exp a > b", "Add one b > c", "Div one c > z"],  # sigmoid by hand
        ["Exp x > a", "ReduceSum a > s", "Div a s > z"],  # soft-max by hand
        ["Exp x > a", "Add a one > b", "Log b > z"],  # softplus by hand
        [
            "ReduceMean x > m",
            "Sub x m > c",
            "Pow c two > q",
            "ReduceMean q > v",
            "Add v tiny > w",
            "Sqrt w > s",
            "Div c s > z",
        ],
        ["LayerNormalization x scale > z"],
        ["Pow x three > z"],
        ["Where mask x W > z"],
        ["Cast:to=11 x > a", "Cast:to=1 a > z"],
        ["Shape x > s", "Gather s zero > n", "Cast:to=1 n > f", "Floor f > g", "Mul x g > z"],
    ],
    ids=lambda steps: steps[0].split()[0] + "..." + steps[-1].split()[0],
)
def test_smooth_graphs_have_no_kinks(steps):
    assert read(*steps) == ()


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        (["Relu x > z"], ("Relu",)),
        (["Gemm x W > a", "Relu a > b", "Abs b > c", "Relu c > z"], ("Abs", "Relu")),
        (["Elu x > z"], ("Elu",)),
        (["Softsign x > z"], ("Softsign",)),
        (["HardSwish x > z"], ("HardSwish",)),
        (["ReduceMax x > z"], ("ReduceMax",)),
        (["Clip x minus one > z"], ("Clip",)),
        (["Mul x x > a", "Sqrt a > z"], ("Sqrt",)),  # |x|
        (["Pow x two > a", "Pow a half > z"], ("Pow",)),
        (["Mul x x > a", "Log a > b", "Mul half b > c", "Exp c > z"], ("Log",)),
        (["Mul x x > a", "Add a minus > b", "Sqrt b > z"], ("Sqrt",)),
        (["Tanh x > a", "Div one a > z"], ("Div",)),
        (["Reciprocal x > z"], ("Reciprocal",)),
        (["LayerNormalization:epsilon=0.0 x scale > z"], ("LayerNormalization",)),  # a step
        (["Cast:to=7 x > a", "Cast:to=1 a > z"], ("Cast",)),
        (["Cast:to=10 x > a", "Cast:to=1 a > z"], ("Cast",)),  # float16 rounds
        (["Greater x one > a", "Where a x W > z"], ("Greater", "Where")),
        (["Round x > z"], ("Round",)),
        (["Floor x > a", "Sub x a > z"], ("Floor",)),
        (["Tanh x > a", "Pow a a > z"], ("Pow",)),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_not_shown_to_be_smooth_is_named(steps, named):
    assert read(*steps) == named


def test_operators_of_other_domains_are_named():
    nodes = [helper.make_node("Normalizer", ["x"], ["z"], domain="ai.onnx.ml", norm="L2")]
    data = graph(nodes, ["N", 3], [("z", TensorProto.FLOAT, None)])
    assert kinks(onnx.load_from_string(data)) == ("Normalizer",)
