"""Margins of competition networks against those that an independent tool, auto_LiRPA 0.7.1, computed."""

import csv
import re
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from algorithms.mathematics.norms import Norm
from algorithms.seam.questions.margins import Region
from algorithms.threats.threat import Box, Threat
from models.onnx.bounds.bounder import Bounder, bounder
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.passes.plan import plan
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.propagation import propagate
from models.onnx.network import Network, read
from tests.devices import DEVICE
from tests.published import data_folder

pytestmark = pytest.mark.reference
NETS = ("256x2", "256x4")
CLASSES = 10


class AsPublished(Regions):
    """Neurons are bounded by backward passes alone: all of them, or those that intervals leave on both sides."""

    everything: bool

    def tighten(self, name: str, wanted: Tensor) -> None:
        wanted = torch.ones_like(wanted) if self.everything else wanted
        lower, upper = self.intervals[name]
        self.intervals[name] = torch.where(wanted, -torch.inf, lower), torch.where(wanted, torch.inf, upper)
        super().tighten(name, wanted)


@cache
def instances(net: str) -> list[dict[str, str]]:
    folder = data_folder("verification/mnist_fc")
    with (folder / "reference_bounds_auto_lirpa.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["onnx"].endswith(f"{net}.onnx")]
    return [row for row in rows if (folder / row["vnnlib"]).exists()]


@cache
def network(net: str) -> Network:
    data = (data_folder("verification/mnist_fc") / f"onnx/mnist-net_{net}.onnx").read_bytes()
    return read(onnx.load_from_string(data), None)


def box_of(property_file: Path, shape: tuple[int, ...]) -> Box:
    sides: dict[str, dict[int, float]] = {"<=": {}, ">=": {}}
    for side, i, value in re.findall(r"\(assert \((<=|>=) X_(\d+) ([-\d.e]+)\)\)", property_file.read_text()):
        sides[side][int(i)] = float(value)
    lower, upper = (np.array([sides[s][i] for i in range(len(sides[s]))], np.float32) for s in (">=", "<="))
    return Box(lower.reshape(shape), upper.reshape(shape))


def question(net: str, row: dict[str, str]) -> tuple[Region, np.ndarray, np.ndarray]:
    """The property's box as a linf ball that reaches beyond it: region, label, rivals."""
    shape = network(net).input.shape
    box = box_of(data_folder("verification/mnist_fc") / row["vnnlib"], shape)
    middle = (box.lower.astype(np.float64) + box.upper) / 2
    label = np.array([int(row["label"])])
    rivals = (label[:, None] + np.arange(1, CLASSES)) % CLASSES
    return Region(middle.astype(np.float32)[None], np.ones(1), Threat(Norm.LINF, box)), label, rivals


def published(net: str, row: dict[str, str], *, everything: bool) -> float:
    """The least margin by CROWN in real arithmetic, without intersection with intervals."""
    found = plan(network(net).scores_alone(), network(net).input.shape, None, DEVICE)
    region, label, rivals = question(net, row)
    x, lower, upper = (torch.tensor(v, dtype=torch.float64) for v in (region.rows, *region.threat.limits(region.rows)))
    balls = Balls(x, x - lower, upper - x, torch.ones(1).double(), Norm.LINF)
    regions = AsPublished(found, balls, count=1, bucket=256, rounds=False)
    regions.everything = everything
    propagate(regions, "crown", lambda _: torch.zeros(()))
    nobody = torch.zeros(rivals.size, dtype=torch.long)
    return float(regions.least_gap(nobody, nobody + int(label[0]), torch.from_numpy(rivals[0])).min())


@pytest.mark.parametrize("net", NETS)
def test_crown_margins_equal_those_of_auto_lirpa(net: str) -> None:
    """It bounds every neuron of a layer or some of them, by what it did before: its margin is one of the two."""
    ours = np.array([[published(net, row, everything=e) for row in instances(net)] for e in (False, True)])
    theirs = np.array([float(row["crown_min_margin_lb"]) for row in instances(net)])
    np.testing.assert_array_less(np.abs(ours - theirs).min(axis=0), 1e-3)
    assert (np.abs(ours[0] - theirs) < 1e-3).mean() >= 0.8


@pytest.mark.parametrize("net", NETS)
def test_interval_margins_equal_those_of_auto_lirpa(net: str) -> None:
    exact = bounder(network(net), DEVICE, rounds=False)
    ours = [float(exact.margins(*question(net, row), "intervals").min()) for row in instances(net)]
    theirs = [float(row["ibp_min_margin_lb"]) for row in instances(net)]
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def proven(served: Bounder, net: str) -> set[str]:
    rows = instances(net)
    return {row["vnnlib"] for row in rows if (served.margins(*question(net, row), "crown") > 0).all()}


@pytest.mark.parametrize("net", NETS)
def test_everything_that_their_crown_proves_is_proven_and_nothing_that_is_violated(net: str) -> None:
    """With rounding and intersection, as the service computes."""
    ours = proven(bounder(network(net), DEVICE), net)
    assert ours >= {row["vnnlib"] for row in instances(net) if float(row["crown_min_margin_lb"]) > 0}
    assert not ours & {row["vnnlib"] for row in instances(net) if row["consensus"] == "sat"}
