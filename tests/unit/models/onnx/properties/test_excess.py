"""The steps behind a graph compute the largest excess of each part, and bounds of them are sound."""

import itertools

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.propagation import propagate
from models.onnx.properties.excess import with_excesses
from models.onnx.properties.subject import subject
from models.properties.conditions import PropertyCase, WantedOutputs
from tests.exports import graph


def perceptron(rng: np.random.Generator, widths: tuple[int, ...]) -> onnx.ModelProto:
    """Dense layers with a Relu between them."""
    shapes, nodes, last = list(itertools.pairwise(widths)), [], "x"
    weights = {f"w{i}": rng.normal(size=shape).astype(np.float32) for i, shape in enumerate(shapes)}
    for i in range(len(shapes)):
        name = "y" if i == len(shapes) - 1 else f"z{i}"
        nodes.append(helper.make_node("MatMul", [last, f"w{i}"], [name]))
        if name != "y":
            nodes.append(helper.make_node("Relu", [name], [f"h{i}"]))
        last = f"h{i}"
    data = graph(nodes, ["N", widths[0]], [("y", TensorProto.FLOAT, ["N", widths[-1]])], weights)
    return onnx.load_from_string(data)


def parts(rng: np.random.Generator, sizes: tuple[int, ...]) -> tuple[WantedOutputs, ...]:
    return tuple(WantedOutputs(rng.normal(size=(k, 3)), rng.normal(size=k), np.zeros(k, dtype=bool)) for k in sizes)


def no_norms(name: str) -> torch.Tensor:
    raise AssertionError(name)


@pytest.mark.parametrize("sizes", [(1,), (2,), (5,), (1, 4, 1, 3), (7, 2)])
def test_the_new_output_is_the_largest_excess_of_each_part(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(sizes))
    opened = subject(perceptron(rng, (4, 6, 3)))
    assert opened.plan is not None
    case = PropertyCase(np.zeros(4), np.ones(4), parts(rng, sizes))
    plan = with_excesses(opened.plan, case)
    assert plan.shapes[plan.output] == (len(sizes),)
    points = rng.random((50, 4), dtype=np.float32)
    x = torch.from_numpy(points.astype(np.float64))
    none = torch.zeros_like(x)
    regions = Regions(plan, Balls(x, none, none, none[:, 0], Norm.LINF), len(x), 64, rounds=False)
    propagate(regions, "intervals", no_norms)
    lower, upper = (end.numpy() for end in regions.intervals[plan.output])
    wanted = np.stack([part.excess(opened.answer(points)) for part in case.parts], axis=1)
    np.testing.assert_allclose((lower + upper) / 2, wanted, atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_bounds_of_excesses_hold_at_every_point(seed: int) -> None:
    rng = np.random.default_rng(seed)
    opened = subject(perceptron(rng, (4, 6, 6, 3)))
    assert opened.plan is not None
    case = PropertyCase(np.zeros(4), np.ones(4), parts(rng, (3, 1, 4)))
    plan = with_excesses(opened.plan, case)
    half = torch.full((1, 4), 0.5, dtype=torch.float64)
    regions = Regions(plan, Balls(half, half, half, half[:, 0], Norm.LINF), 1, 64, rounds=True)
    propagate(regions, "crown", no_norms)
    lower, upper = (end.numpy()[0] for end in regions.intervals[plan.output])
    answers = opened.answer(rng.random((2000, 4), dtype=np.float32))
    found = np.stack([part.excess(answers) for part in case.parts], axis=1)
    assert (found >= lower).all() and (found <= upper).all()
