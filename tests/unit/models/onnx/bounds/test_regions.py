"""What regions hold: every row its own work, and no bound that tightening makes looser."""

import numpy as np
import onnx
import torch
from torch import Tensor

from algorithms.mathematics.norms import Norm
from models.onnx.bounds.concretization import Balls
from models.onnx.bounds.plan import BoundPlan, plan
from models.onnx.bounds.propagation import propagate
from models.onnx.bounds.regions import WORK, Regions
from models.onnx.network import read
from tests.exports import torch_export


def cnn() -> BoundPlan:
    network = read(onnx.load_from_string(torch_export("cnn", "classic", 13).data), None)
    return plan(network.scores_alone(), network.input.shape, None, "cpu")


def regions(found: BoundPlan, radii: list[float], *, spent: list[float]) -> Regions:
    x = torch.from_numpy(np.random.default_rng(0).random((len(radii), *found.shapes[found.input])))
    balls = Balls(x, x, 1 - x, torch.tensor(radii, dtype=torch.float64), Norm.LINF)
    made = Regions(found, balls, count=len(radii), bucket=64, rounds=True)
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
