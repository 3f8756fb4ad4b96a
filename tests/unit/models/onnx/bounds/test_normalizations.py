"""Normalizations round as they are taken to: by what is centered, and a variance by itself."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from models.onnx.bounds.linear.rounding import disturbance
from models.onnx.bounds.rules.mixing.normalizations import centered
from models.onnx.session import run, start
from tests.exports import graph

COUNT = 64
FAR = (3000 + 2 * np.random.default_rng(0).random((200, COUNT))).astype(np.float32)
LAYER = [helper.make_node("LayerNormalization", ["s", "one", "nil"], ["y"])]
WRITTEN_OUT = [
    helper.make_node("ReduceMean", ["s"], ["m"], axes=[-1]),
    helper.make_node("Sub", ["s", "m"], ["d"]),
    helper.make_node("Pow", ["d", "two"], ["q"]),
    helper.make_node("ReduceMean", ["q"], ["v"], axes=[-1]),
    helper.make_node("Add", ["v", "tiny"], ["e"]),
    helper.make_node("Sqrt", ["e"], ["r"]),
    helper.make_node("Div", ["d", "r"], ["n"]),
    helper.make_node("Mul", ["n", "one"], ["o"]),
    helper.make_node("Add", ["o", "nil"], ["y"]),
]
PLAIN = [helper.make_node("Identity", ["x"], ["s"])]
SKIPPED = [  # which is fused with the normalization
    helper.make_node("Mul", ["x", "two"], ["double"]),
    helper.make_node("Mul", ["x", "minus"], ["less"]),
    helper.make_node("Add", ["double", "less"], ["s"]),
]


@pytest.mark.parametrize("before", [PLAIN, SKIPPED], ids=["alone", "after a sum"])
@pytest.mark.parametrize("nodes", [LAYER, WRITTEN_OUT], ids=["by name", "written out"])
def test_onnxruntime_takes_a_variance_of_differences_and_never_of_moments(nodes, before) -> None:
    numbers = {name: np.float32(n) for name, n in {"two": 2, "minus": -1, "tiny": 1e-5}.items()}
    numbers |= {"one": np.ones(COUNT, np.float32), "nil": np.zeros(COUNT, np.float32)}
    outputs = [("y", TensorProto.FLOAT, ["N", COUNT])]
    model = onnx.load_from_string(graph([*before, *nodes], ["N", COUNT], outputs, numbers, opset=17))
    (y,) = run(start(model), "x", FAR)
    exact = FAR.astype(np.float64)
    truth = (exact - exact.mean(1, keepdims=True)) / np.sqrt(exact.var(1, keepdims=True) + 1e-5)
    lengths = np.linalg.norm(y, axis=1) / np.linalg.norm(truth, axis=1)
    assert np.abs(lengths - 1).max() < 1e-6
    moments = (FAR * FAR).mean(1) - FAR.mean(1) ** 2
    assert np.abs(moments / exact.var(1) - 1).max() > 0.1, "which could not be told from it otherwise"


def test_what_is_centered_rounds_by_what_it_was() -> None:
    operator = centered((COUNT,), [1])
    exact = torch.from_numpy(FAR.astype(np.float64))
    served = torch.from_numpy((FAR - FAR.mean(1, keepdims=True)).astype(np.float64))
    assert operator.sizes is not None
    assert ((served - operator.apply(exact)).abs() <= disturbance(operator.sizes(exact.abs()), operator.terms)).all()
    identity = torch.eye(COUNT, dtype=torch.float64)
    torch.testing.assert_close(operator.magnitude(identity), operator.apply(identity).abs())
