"""What is free in lower bounds: sound however it is chosen, and by ascent as good as a linear program finds it."""

import itertools
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from scipy.optimize import linprog
from torch import Tensor

from algorithms.mathematics.norms import NORMS, Norm
from algorithms.threats.threat import Box
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.optimized.ascent import Choice
from models.onnx.bounds.optimized.objectives import Objectives
from models.onnx.bounds.passes.plan import plan
from models.onnx.bounds.passes.regions import Regions
from models.onnx.bounds.propagation import propagate
from models.onnx.network import read
from tests.bounded import points
from tests.exports import graph, torch_export

RADII = {Norm.L1: 1.5, Norm.L2: 0.5, Norm.LINF: 0.15}
SIZES = (4, 7, 6, 3)
PAIRS = [(i, j) for i in range(3) for j in range(3) if i != j]


def layers(seed: int, sizes: tuple[int, ...] = SIZES) -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(seed)
    return [
        (rng.normal(size=(m, n)).astype(np.float32), rng.normal(size=m).astype(np.float32))
        for n, m in itertools.pairwise(sizes)
    ]


def network(weights: list[tuple[np.ndarray, np.ndarray]]) -> bytes:
    nodes, constants, value = [], {}, "x"
    for k, (w, b) in enumerate(weights):
        constants |= {f"w{k}": w, f"b{k}": b}
        made = "z" if k == len(weights) - 1 else f"h{k}"
        nodes.append(helper.make_node("Gemm", [value, f"w{k}", f"b{k}"], [made], transB=1))
        if made != "z":
            nodes.append(helper.make_node("Relu", [made], [f"r{k}"]))
        value = f"r{k}"
    shape = ["N", weights[0][0].shape[1]]
    return graph(nodes, shape, [("z", TensorProto.FLOAT, ["N", len(weights[-1][1])])], constants)


def objectives(data: bytes, x: np.ndarray, radius: float, norm: Norm, *, rounds: bool = False) -> Objectives:
    """All differences of the first three scores, over a ball without a box around each row."""
    read_ = read(onnx.load_from_string(data), None)
    found = plan(read_.scores_alone(), read_.input.shape, None, "cpu")
    room = torch.full(x.shape, torch.inf, dtype=torch.float64)
    balls = Balls(torch.from_numpy(x).double(), room, room, torch.full((len(x),), radius, dtype=torch.float64), norm)
    made = Regions(found, balls, count=len(x), bucket=64, rounds=rounds)
    propagate(made, "crown", lambda _: torch.full((), torch.inf, dtype=torch.float64))
    rows = torch.arange(len(x)).repeat_interleave(len(PAIRS))
    ours, theirs = torch.tensor(PAIRS * len(x)).T
    return Objectives(made, found.output, made.gaps(ours, theirs), rows)


def at_random(start: Choice, seed: int) -> Choice:
    rng = torch.Generator().manual_seed(seed)

    def drawn(values: Tensor) -> Tensor:
        return torch.rand(values.shape, generator=rng, dtype=values.dtype)

    return Choice(
        *({name: drawn(values) for name, values in some.items()} for some in (start.shares, start.multipliers))
    )


def gaps(weights: list[tuple[np.ndarray, np.ndarray]], rows: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """-> what each Relu reads (m, numbers), the differences of the scores (m, 6), in float64."""
    value, met = rows.astype(np.float64), []
    for w, b in weights:
        met.append(value @ w.T.astype(np.float64) + b)
        value = np.maximum(met[-1], 0)
    return met[:-1], np.stack([met[-1][:, i] - met[-1][:, j] for i, j in PAIRS], axis=1)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(4))
def test_any_shares_and_multipliers_are_sound_on_the_part_that_they_are_about(seed: int, norm: Norm) -> None:
    weights, x = layers(seed), np.random.default_rng(seed).random((1, 4), np.float32)
    whole = objectives(network(weights), x, RADII[norm], norm)
    rows = points(np.random.default_rng(seed), x[0], RADII[norm], norm, Box.unbounded(), count=3000)
    read_, found = gaps(weights, rows)
    for step, values in zip([s for s in whole.regions.plan.steps if s.name in whole.free], read_, strict=True):
        middle, first = np.median(values, axis=0), values[0]  # of the part where the first point is
        ends = np.stack([np.where(first > middle, middle, -np.inf), np.where(first > middle, np.inf, middle)])
        inside = ((values >= ends[0]) & (values <= ends[1])).all(axis=1)
        part = replace(whole, within={step.sources[0]: torch.from_numpy(ends).expand(len(PAIRS), -1, -1)})
        for draw in range(5):
            bounds = part.least(at_random(part.start(), draw)).numpy()
            assert (bounds <= found[inside].min(axis=0) + 1e-9).all()
            bounds = whole.least(at_random(whole.start(), draw)).numpy()
            assert (bounds <= found.min(axis=0) + 1e-9).all()


@pytest.mark.parametrize("seed", range(6))
def test_ascent_finds_what_a_linear_program_of_the_triangles_finds(seed: int) -> None:
    """Salman et al. 2019: of one hidden layer, the best slopes and that program are dual to one another."""
    weights = layers(seed, (4, 8, 3))
    x = np.random.default_rng(seed).random((1, 4), np.float32)
    made = objectives(network(weights), x, 0.4, Norm.LINF)
    bounds, choice = made.best(made.start(), 300)
    (w, a), (v, b) = [(w.astype(np.float64), b.astype(np.float64)) for w, b in weights]
    for (i, j), bound in zip(PAIRS, bounds.tolist(), strict=True):
        least = programmed(w, a, v[i] - v[j], x[0].astype(np.float64), 0.4) + b[i] - b[j]
        assert bound <= least + 1e-9
        assert bound == pytest.approx(least, abs=2e-3)
    torch.testing.assert_close(made.least(choice), bounds, rtol=0, atol=0)


def programmed(w: np.ndarray, a: np.ndarray, slope: np.ndarray, x: np.ndarray, radius: float) -> float:
    """min slope.h with every h_k in the triangle of its relu(w_k.x + a_k)."""
    center, spread = w @ x + a, radius * np.abs(w).sum(axis=1)
    lower, upper = center - spread, center + spread
    rows, most, sides = [], [], []
    for k, (low, high) in enumerate(zip(lower, upper, strict=True)):
        unit = np.eye(len(w))[k]
        sides.append((0.0, max(high, 0.0)))
        chord = high / (high - low) if low < 0 < high else float(low >= 0)
        rows += [np.append(w[k], -unit), np.append(-chord * w[k], unit)]  # w.x + a <= h <= chord (w.x + a - low)
        most += [-a[k], chord * (a[k] - low) if low < 0 < high else chord * a[k]]
    bounds = [(c - radius, c + radius) for c in x] + sides
    found = linprog(np.append(np.zeros(len(x)), slope), A_ub=rows, b_ub=most, bounds=bounds)
    assert found.status == 0
    return float(found.fun)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("net", "wider"), [("cnn", 1), ("resnet block", 1), ("mlp", 8)])
def test_ascent_is_never_below_crown_and_seldom_at_it(net: str, wider: int, norm: Norm) -> None:
    export = torch_export(net, "classic", 13)
    x = np.random.default_rng(8).random((1, *export.shape), dtype=np.float32)
    made = objectives(export.data, x, wider * RADII[norm], norm, rounds=True)
    with torch.no_grad():
        crown = made.least(made.start())
    bounds, choice = made.best(made.start(), 10)
    assert (bounds >= crown).all()
    assert (bounds > crown + 1e-6).any()
    assert all(((0 <= shares) & (shares <= 1)).all() for shares in choice.shares.values())
    torch.testing.assert_close(made.least(made.start()), crown, rtol=0, atol=0)


def test_more_steps_replay_the_fewer() -> None:
    made = objectives(network(layers(0)), np.full((1, 4), 0.5, np.float32), 0.3, Norm.L2)
    few, many = made.best(made.start(), 5)[0], made.best(made.start(), 25)[0]
    assert (many >= few).all()
