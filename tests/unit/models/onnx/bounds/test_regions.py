"""What regions hold: every row its own work, and no bound that tightening makes looser."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.passes.plan import BoundPlan, plan
from models.onnx.bounds.passes.regions import WORK, Regions
from models.onnx.bounds.propagation import propagate
from models.onnx.network import read
from tests.exports import torch_export


def cnn() -> BoundPlan:
    network = read(onnx.load_from_string(torch_export("cnn", "classic", 13).data), None)
    return plan(network.scores_alone(), network.input.shape, None, "cpu")


def regions(found: BoundPlan, radii: list[float], *, spent: list[float], bucket: int = 64) -> Regions:
    x = torch.from_numpy(np.random.default_rng(0).random((len(radii), *found.shapes[found.input])))
    balls = Balls(x, x, 1 - x, torch.tensor(radii, dtype=torch.float64), Norm.LINF)
    made = Regions(found, balls, count=len(radii), bucket=bucket, rounds=True)
    made.spent = torch.tensor(spent, dtype=torch.float64)
    propagate(made, "crown", lambda _: torch.zeros(()))
    return made


def widths(made: Regions) -> dict[str, Tensor]:
    return {name: (upper - lower).flatten(1).sum(1) for name, (lower, upper) in made.intervals.items()}


def test_a_row_whose_work_is_spent_keeps_its_intervals_and_its_neighbor_does_not() -> None:
    found = cnn()
    spent = widths(regions(found, [0.1, 0.1], spent=[WORK, 0.0]))
    fresh = widths(regions(found, [0.1, 0.1], spent=[0.0, 0.0]))
    assert any((fresh[name][0] < spent[name][0]).item() for name in fresh)
    for name in fresh:
        assert fresh[name][0] <= spent[name][0]
        assert fresh[name][1] == spent[name][1]


def test_work_is_counted_by_what_lies_behind_a_value() -> None:
    found = cnn()
    first, last = found.steps[0].name, found.steps[-1].name
    assert found.work(first) == np.prod(found.shapes[first])
    assert found.work(last) == found.total - np.prod(found.shapes[found.input])


def pooled() -> BoundPlan:
    """Two convolutions, each with Relu and a max pool: what the pools read are outputs of Relus."""
    rng = np.random.default_rng(3)
    nodes, weights, value, channels = [], [], "x", 1
    for k, width in enumerate((4, 6)):
        drawn = (rng.normal(size=(width, channels, 3, 3)) / 3).astype(np.float32)
        weights.append(numpy_helper.from_array(drawn, f"w{k}"))
        nodes += [
            helper.make_node("Conv", [value, f"w{k}"], [f"c{k}"], pads=[1] * 4),
            helper.make_node("Relu", [f"c{k}"], [f"r{k}"]),
            helper.make_node("MaxPool", [f"r{k}"], [f"p{k}"], kernel_shape=[2, 2], strides=[2, 2]),
        ]
        value, channels = f"p{k}", width
    weights.append(numpy_helper.from_array(rng.normal(size=(24, 3)).astype(np.float32), "w"))
    nodes += [helper.make_node("Flatten", [value], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["z"])]
    entry = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 8, 8])
    scores = helper.make_tensor_value_info("z", TensorProto.FLOAT, ["N", 3])
    graph = helper.make_graph(nodes, "pooled", [entry], [scores], weights)
    network = read(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), None)
    return plan(network.scores_alone(), network.input.shape, None, "cpu")


def test_passes_from_a_relu_that_would_find_again_what_is_known_are_left_out_and_change_no_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, passes = pooled(), [0, 0]
    monkeypatch.setattr(Regions, "least", counting := _Counting(Regions.least))
    made = []
    for is_left_out in (True, False):
        if not is_left_out:
            monkeypatch.setattr(Regions, "repeated", lambda _self, _name: None)
        counting.objectives = 0
        made.append(regions(found, [0.02, 0.1, 0.5], spent=[0.0] * 3, bucket=8))
        passes[is_left_out] = counting.objectives
    assert 0 < passes[True] < 0.9 * passes[False]
    ours, theirs = (one.intervals for one in made)
    assert ours.keys() == theirs.keys()
    for name in ours:
        for one, other in zip(ours[name], theirs[name], strict=True):
            assert torch.equal(one, other)


class _Counting:
    """Counts the objectives that are bounded by backward passes."""

    def __init__(self, least: Callable[..., Tensor]) -> None:
        self.objectives = 0
        self._least = least

    def __get__(self, regions: Regions, _owner: type) -> Callable[..., Tensor]:
        def least(name: str, slopes: Any, rows: Tensor, relaxed: Any) -> Tensor:
            self.objectives += len(rows)
            return self._least(regions, name, slopes, rows, relaxed)

        return least
