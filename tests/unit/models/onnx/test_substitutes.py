"""Substitutes for gradients: the forward pass as served, the backward pass by what stands in for each step."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from onnx import TensorProto

from algorithms.errors import Refused
from models.onnx.gate.check import check
from models.onnx.gradients.differentiator import differentiator, substitutes
from models.onnx.gradients.substitutes import Substitutes
from models.onnx.network import read
from models.onnx.substituting import find_substitutes
from tests.devices import DEVICE
from tests.masks.net import Net

WEIGHTS = np.random.default_rng(0).normal(size=(6, 3))
SCALE, INT8 = np.float32(1 / 32), np.int8(-3)


def dense(net: Net, value: str) -> str:
    return net.op("MatMul", value, WEIGHTS)


def rounded(net: Net) -> str:
    return dense(net, net.op("Div", net.op("Round", net.op("Mul", "x", 32.0)), 32.0))


def signed(net: Net) -> str:
    """As static quantization to int8 leaves it, weights by columns."""
    whole = net.op("QuantizeLinear", "x", SCALE, INT8)
    scales = (np.abs(WEIGHTS).max(axis=0) / 127).astype(np.float32)
    weights = net.op(
        "DequantizeLinear", np.round(WEIGHTS / scales).astype(np.int8), scales, np.zeros(3, np.int8), axis=1
    )
    return net.op("MatMul", net.op("DequantizeLinear", whole, SCALE, INT8), weights)


def thermometer(net: Net) -> str:
    marks = ((np.arange(16) + 0.5) / 16)[None, None]
    bits = net.op("Not", net.op("Less", net.op("Unsqueeze", "x", np.array([2])), marks))
    count = net.op("ReduceSum", net.op("Cast", bits, to=TensorProto.FLOAT), np.array([2]), keepdims=0)
    return dense(net, net.op("Div", count, 16.0))


def chosen(net: Net) -> str:
    """One of two constants for each feature."""
    return dense(net, net.op("Where", net.op("GreaterOrEqual", "x", 0.5), 1.0, -1.0))


def whole_numbers(net: Net) -> str:
    """Cast, computed with as whole numbers, and cast back."""
    steps = net.op("Add", net.op("Cast", net.op("Mul", "x", 32.0), to=TensorProto.INT64), np.int64(5))
    return dense(net, net.op("Div", net.op("Cast", steps, to=TensorProto.FLOAT), 32.0))


FRONTS: dict[str, tuple[Callable[[Net], str], tuple[str, ...]]] = {
    "rounded": (rounded, ("Round",)),
    "static int8": (signed, ("Round",)),
    "thermometer": (thermometer, ("Less", "Not")),
    "chosen": (chosen, ("GreaterOrEqual", "Where")),
    "whole numbers": (whole_numbers, ("Cast",)),
}


def network(front: Callable[[Net], str]):
    net = Net(len(WEIGHTS))
    return read(check(net.data(front(net))), None)


def found(front: Callable[[Net], str]) -> tuple[str, ...]:
    net = network(front)
    return find_substitutes(net, net.rows, net.session("cpu").ask(net.rows, net.rebuilt.scores), DEVICE)


def first(scores, positions):
    """d(first score)"""
    del positions
    return np.broadcast_to(np.eye(1, scores.shape[1], dtype=np.float32), tuple(scores.shape)).copy()


@pytest.mark.parametrize("name", FRONTS)
def test_each_step_has_a_substitute_and_answers_as_served(name: str) -> None:
    front, steps = FRONTS[name]
    assert found(front) == steps
    net = network(front)
    scores, _ = substitutes(net, DEVICE).gradients(net.rows, first)
    assert np.allclose(scores, net.session("cpu").ask(net.rows, net.rebuilt.scores), atol=1e-5)


@pytest.mark.parametrize("name", FRONTS)
def test_the_true_gradients_of_a_staircase_stay_what_they_are(name: str) -> None:
    net = network(FRONTS[name][0])
    if name == "rounded":
        assert not differentiator(net, DEVICE).gradients(net.rows, first)[1].any()
    else:
        with pytest.raises(Refused, match="There is no gradient"):
            differentiator(net, DEVICE).gradients(net.rows, first)


@pytest.mark.parametrize("name", ["rounded", "static int8", "whole numbers"])
def test_rounding_goes_back_as_the_identity(name: str) -> None:
    net = network(FRONTS[name][0])
    inside = np.random.default_rng(1).uniform(0.1, 0.9, (4, 6)).astype(np.float32)
    _, gradients = substitutes(net, DEVICE).gradients(inside, first)
    assert np.allclose(gradients, WEIGHTS[:, 0], atol=0.02)


def test_a_threshold_goes_back_as_a_soft_sign() -> None:
    x = np.linspace(-3, 3, 12).reshape(2, 6).astype(np.float32)
    _, gradients = substitutes(network(chosen), DEVICE).gradients(x, first)
    assert np.allclose(gradients, WEIGHTS[:, 0] / (1 + np.abs(x - 0.5)) ** 2, rtol=1e-5)


def test_quantization_by_the_call_is_passed_one_row_at_a_time() -> None:
    def dynamic(net: Net) -> str:
        whole, scale, zero = (f"q{i}" for i in range(3))
        net.node("DynamicQuantizeLinear", ["x"], [whole, scale, zero])
        product = net.op("MatMulInteger", whole, np.round(WEIGHTS * 40).astype(np.int8), zero)
        return net.op("Mul", net.op("Cast", product, to=TensorProto.FLOAT), net.op("Div", scale, 40.0))

    assert found(dynamic) == ("Cast", "Round")
    _, gradients = substitutes(network(dynamic), DEVICE).gradients(np.full((1, 6), 0.3, np.float32), first)
    assert np.isfinite(gradients).all() and gradients.any()


def test_truth_values_are_joined_as_numbers() -> None:
    a, b = (torch.tensor([-1.0, -1.0, 1.0, 1.0], requires_grad=True) for _ in range(2))
    with torch.no_grad():
        b.copy_(torch.tensor([-1.0, 1.0, -1.0, 1.0]))
    for join in (torch.logical_and, torch.logical_or, torch.logical_xor):
        with Substitutes():
            joined = join(torch.gt(a, 0), torch.gt(b, 0))
        assert joined.requires_grad
        assert torch.equal(joined.detach().bool(), join(a.gt(0), b.gt(0)))


@pytest.mark.parametrize(
    "front",
    [
        lambda net: dense(net, net.op("Relu", "x")),
        lambda net: dense(net, net.op("Where", net.op("Greater", "x", 0.0), "x", 0.0)),
        lambda net: dense(net, net.op("Cast", net.op("Cast", "x", to=TensorProto.DOUBLE), to=TensorProto.FLOAT)),
        lambda net: net.op("Gather", np.eye(3), net.op("Cast", net.op("ReduceMax", "x", axes=[1], keepdims=0), to=7)),
    ],
    ids=["no step", "a choice between slopes", "no whole numbers", "a table"],
)
def test_where_substitutes_lead_nowhere_new_there_are_none(front: Callable[[Net], str]) -> None:
    assert found(front) == ()
