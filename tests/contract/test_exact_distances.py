"""`milp` on networks whose nearest adversarial input is known by all cells, or by looking everywhere."""

import itertools
import json

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Finding, Kind
from algorithms.seam.hint import Hint
from algorithms.threats.threat import Box, Threat
from models.onnx.classifier import OnnxClassifier
from tests.cells import Layer, least_distance
from tests.exports import graph
from tests.perceptrons import layers, opened, perceptron

MILP = method("milp")
EXACTLY = 1e-4  # share by which the ends may lie off the truth: the search closes within it
each_norm = pytest.mark.parametrize("norm", MILP.norms)


def found(
    model: OnnxClassifier, x: np.ndarray, threat: Threat, hints: tuple[Hint, ...] | None = None, **params: object
) -> list[Finding]:
    what = Samples(x, tuple(range(len(x))), labels=None, hints=hints)
    outcomes = run(model, what, MILP, MILP.params(**params), threat, Budget(2000), seed=0)
    return [outcome.finding for outcome in outcomes]


def samples(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 0.9, (n, d)).astype(np.float32)


@each_norm
@pytest.mark.parametrize("seed", range(2))
def test_the_distance_is_that_of_all_cells(norm: Norm, seed: int) -> None:
    made, x = layers(seed, 2, 4, 8, 2), samples(4, 2, seed)
    for row, finding in zip(x, found(perceptron(made), x, Threat(norm)), strict=True):
        check(finding, least_distance(made, row.astype(np.float64), finding.label, norm), row, norm)


@each_norm
def test_a_target_is_as_far_as_the_nearest_input_that_is_answered_with_it(norm: Norm) -> None:
    made, x = layers(3, 2, 4, 8, 3), samples(4, 2)
    model, threat = perceptron(made), Threat(norm, targeted="least_likely")
    for row, finding in zip(x, found(model, x, threat), strict=True):
        target = int(model.scores(row[None])[0].argmin())
        check(finding, least_distance(made, row.astype(np.float64), finding.label, norm, target=target), row, norm)


def trained(*widths: int) -> tuple[list[Layer], np.ndarray]:
    """Train a perceptron on a cloud a class, for a second; with some rows that it has seen."""
    torch.manual_seed(0)
    centers, y = torch.rand(widths[-1], widths[0]), torch.arange(600) % widths[-1]
    x = (centers[y] + 0.15 * torch.randn(600, widths[0])).clamp(0, 1)
    dense = [torch.nn.Linear(before, after) for before, after in itertools.pairwise(widths)]
    net = torch.nn.Sequential(*(part for layer in dense for part in (layer, torch.nn.ReLU())))[:-1]
    steps = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(150):
        steps.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()  # type: ignore[no-untyped-call]
        steps.step()
    return [
        (layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy()) for layer in dense
    ], x.numpy()


@each_norm
def test_branch_and_bound_agrees_to_a_ten_thousandth_on_a_trained_network(norm: Norm) -> None:
    """Nothing of the two is shared but the intervals of neurons: programs of HiGHS here, multipliers there."""
    (net, x), other = trained(4, 12, 12, 3), method("branch_and_bound")
    model = perceptron(net)

    def decided(row: np.ndarray, epsilon: float) -> Finding:
        params, what = other.params(domains=4000), Samples(row[None], (0,), labels=None)
        (outcome,) = run(model, what, other, params, Threat(norm, epsilon=epsilon), Budget(), seed=0)
        return outcome.finding

    for row, finding in zip(x[:2], found(model, x[:2], Threat(norm)), strict=True):
        assert finding.details["exact"] and finding.value is not None
        assert decided(row, finding.value * (1 - EXACTLY)).kind is Kind.LOWER_BOUND
        assert decided(row, finding.details["upper"] * (1 + EXACTLY)).kind is not Kind.LOWER_BOUND
        assert decided(row, finding.details["upper"] * 1.01).kind is Kind.UPPER_BOUND


def check(finding: Finding, truth: float, row: np.ndarray, norm: Norm) -> None:
    assert finding.kind is Kind.LOWER_BOUND and finding.value is not None
    if np.isinf(truth):  # the box holds no other answer: as far as its farthest corner
        assert finding.value == pytest.approx(Threat(norm).farthest(row[None])[0], rel=1e-6)
        assert "upper" not in finding.details
        return
    assert finding.value <= truth <= finding.details["upper"] * (1 + 1e-6)
    assert finding.value == pytest.approx(truth, rel=EXACTLY, abs=1e-5)
    assert finding.details["upper"] == pytest.approx(truth, rel=3 * EXACTLY, abs=1e-5)


@each_norm
def test_at_an_epsilon_it_says_whether_the_nearest_input_is_farther(norm: Norm) -> None:
    made, x = layers(2, 2, 4, 8, 2), samples(2, 2)
    model = perceptron(made)
    for i, row in enumerate(x):
        truth = least_distance(made, row.astype(np.float64), int(model.labels(row[None])[0]), norm)
        assert np.isfinite(truth)
        (held,) = found(model, x[i : i + 1], Threat(norm, epsilon=0.99 * truth))
        assert (held.kind, held.value) == (Kind.LOWER_BOUND, 0.99 * truth)
        (broken,) = found(model, x[i : i + 1], Threat(norm, epsilon=1.01 * truth))
        assert broken.kind is Kind.UPPER_BOUND and truth <= broken.value * (1 + 1e-6) <= 1.011 * truth


def test_nodes_that_run_out_leave_a_bound_that_more_of_them_raise() -> None:
    made, x, norm = layers(5, 6, 16, 16, 4), samples(2, 6), Norm.LINF
    model, bounds = perceptron(made), []
    for nodes in (1, 9, 5000):
        some = found(model, x, Threat(norm), nodes=nodes)
        assert all(finding.details["nodes"] <= nodes for finding in some)
        assert all(finding.details["closed"] or finding.details["nodes"] == nodes for finding in some)
        json.dumps([finding.details for finding in some])  # as a result tells them: no numbers of numpy
        bounds.append([finding.value or finding.details.get("lower", 0.0) for finding in some])
    assert all(np.all(np.array(few) <= np.array(more) * (1 + 1e-12)) for few, more in itertools.pairwise(bounds))
    assert all(finding.details["exact"] for finding in some)


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("LeakyRelu", {"alpha": 0.2}),
        ("Clip", {}),
        ("Abs", {}),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [1, 1]}),
    ],
)
def test_other_curves_of_straight_pieces_have_their_nearest_input_too(op: str, attributes: dict[str, object]) -> None:
    """Both ends meet at a point of the model's, and no input of a grid that is nearer is answered otherwise."""
    rng = np.random.default_rng(2)
    size = 24 if op != "MaxPool" else 6
    constants = {
        "k": rng.normal(size=(6, 1, 2, 2)).astype(np.float32),
        "b": rng.normal(size=6).astype(np.float32),
        "least": np.float32(-1.5),
        "most": np.float32(1.5),
        "w": rng.normal(size=(size, 3)).astype(np.float32),
        "c": np.zeros(3, np.float32),
    }
    limits = ["least", "most"] if op == "Clip" else []
    nodes = [
        helper.make_node("Conv", ["x", "k", "b"], ["z"], pads=[0, 0, 1, 1]),
        helper.make_node(op, ["z", *limits], ["y"], **attributes),
        helper.make_node("Flatten", ["y"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "c"], ["scores"]),
    ]
    answer: list[tuple[str, int, list[int | str] | None]] = [("scores", TensorProto.FLOAT, ["N", 3])]
    middle = opened(graph(nodes, ["N", 1, 2, 2], answer, constants)).scores(np.full((1, 1, 2, 2), 0.5, np.float32))[0]
    model = opened(graph(nodes, ["N", 1, 2, 2], answer, constants | {"c": -middle}))  # a tie in the middle of the box
    x = samples(2, 4, seed=1).reshape(2, 1, 2, 2)
    axis = np.linspace(0, 1, 25, dtype=np.float32)
    grid = np.stack(np.meshgrid(axis, axis, axis, axis), -1).reshape(-1, 1, 2, 2)
    answers = model.labels(grid)
    for row, finding in zip(x, found(model, x, Threat(Norm.LINF)), strict=True):
        others = np.abs(grid[answers != finding.label] - row).reshape(-1, 4).max(1)
        assert (
            finding.value is not None and finding.details["upper"] <= finding.value * 1.003 + 1e-4
        )  # rounding, near a tie
        assert finding.value <= others.min(initial=np.inf)


def test_what_it_cannot_search_it_says_and_proves_nothing_of() -> None:
    constants = {"w": np.eye(3, dtype=np.float32)}
    nodes = [helper.make_node("Tanh", ["x"], ["h"]), helper.make_node("MatMul", ["h", "w"], ["y"])]
    smooth = opened(graph(nodes, ["N", 3], [("y", TensorProto.FLOAT, ["N", 3])], constants))
    (finding,) = found(smooth, samples(1, 3), Threat(Norm.LINF))
    assert (finding.kind, finding.details["reason"]) == (Kind.ABSTAINED, "not_piecewise_linear")
    assert finding.details["operator"] == "Tanh"
    (finding,) = found(perceptron(layers(1, 8, 40, 40, 3)), samples(1, 8), Threat(Norm.LINF, epsilon=0.5), unsettled=3)
    assert (finding.kind, finding.details["reason"]) == (Kind.ABSTAINED, "too_many_unsettled")
    assert finding.details["unsettled"] > finding.details["most"] == 3


def test_large_weights_that_multiply_up_are_refused_in_a_word_or_bounded_soundly() -> None:
    """HiGHS takes no factor beyond 1e15, though every value of the model stays far within float32."""
    rng = np.random.default_rng(4)
    for scale, reason in ((1e6, "too_steep"), (1e4, None)):
        constants = {f"w{i}": (scale * rng.normal(size=(3, 3))).astype(np.float32) for i in range(3)}
        nodes = [helper.make_node("MatMul", [before, f"w{i}"], [f"y{i}"]) for i, before in enumerate(["x", "y0", "y1"])]
        steep = opened(graph(nodes, ["N", 3], [("y2", TensorProto.FLOAT, ["N", 3])], constants))
        x = samples(1, 3)
        (finding,) = found(steep, x, Threat(Norm.LINF, box=Box.unbounded()))
        assert finding.details.get("reason") == reason
        if reason is None:
            product = constants["w0"].astype(np.float64) @ constants["w1"] @ constants["w2"]
            gaps = (product.T[finding.label] - np.delete(product.T, finding.label, 0)).astype(np.float64)
            truth = float(((gaps @ x[0]) / np.abs(gaps).sum(1)).min())
            assert finding.value == pytest.approx(truth, rel=1e-3) and finding.value <= truth
