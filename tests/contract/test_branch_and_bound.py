"""Branch and bound against what is known: cells of small networks counted out, and its own shorter searches."""

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from algorithms.certificates.branch_and_bound import METHOD, BranchAndBoundParams
from algorithms.driver.running import Samples, run
from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.seam.claims import Finding, Kind, Outcome
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.threats.threat import Threat
from models.onnx.classifier import OnnxClassifier
from tests import cells
from tests.exports import graph
from tests.perceptrons import layers, opened, perceptron

CASES = list(product((1, 5, 10), NORMS))  # around the first nothing is answered otherwise
IN_TURN = [pytest.param(*case, marks=pytest.mark.every if i % 4 else ()) for i, case in enumerate(CASES)]


def outcome_of(
    model: OnnxClassifier,
    x: np.ndarray,
    norm: Norm,
    *,
    domains: int = 2000,
    epsilon: float | None = None,
    hint: Hint = NOTHING_KNOWN,
) -> Outcome:
    threat = Threat(norm, epsilon=epsilon)
    samples = Samples(x[None].astype(np.float32), (0,), labels=None, hints=(hint,))
    params = BranchAndBoundParams(domains=domains)
    (outcome,) = run(model, samples, METHOD, params, threat, Budget(), seed=0)
    return outcome


def find(model: OnnxClassifier, x: np.ndarray, norm: Norm, **told: Any) -> Finding:
    return outcome_of(model, x, norm, **told).finding


def small(seed: int) -> tuple[list[cells.Layer], np.ndarray]:
    return layers(seed, 2, 4, 8, 2), np.random.default_rng(seed).uniform(0.2, 0.8, 2).astype(np.float32).astype(float)


def distance(net: list[cells.Layer], x: np.ndarray, norm: Norm) -> float:
    h = x
    for weights, bias in net[:-1]:
        h = np.maximum(weights @ h + bias, 0)
    return cells.least_distance(net, x, int((net[-1][0] @ h + net[-1][1]).argmax()), norm)


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_both_ends_close_on_the_radius_that_counting_cells_finds(seed, norm):
    net, x = small(seed)
    truth = distance(net, x, norm)
    found = find(perceptron(net), x, norm)
    assert found.kind is Kind.LOWER_BOUND
    if np.isinf(truth):
        farthest = Threat(norm).farthest(x[None].astype(np.float32))[0]
        assert found.value == pytest.approx(farthest, rel=1e-6)
        return
    assert found.value <= truth * (1 + 1e-9)
    assert found.value >= 0.98 * truth
    assert truth * (1 - 1e-6) <= found.details["upper"] <= 1.02 * truth


@pytest.mark.parametrize(("seed", "norm"), IN_TURN)
def test_a_point_is_near_the_nearest_after_a_few_domains(seed, norm):
    net, x = small(seed)
    truth = distance(net, x, norm)
    if np.isfinite(truth):
        assert find(perceptron(net), x, norm, domains=6).details["upper"] <= 1.02 * truth


def test_a_point_that_others_found_is_asked_about_first():
    net, x = small(10)
    model, truth = perceptron(net), distance(net, x, Norm.LINF)
    point = outcome_of(model, x, Norm.LINF).x_adv
    told = find(model, x, Norm.LINF, domains=1, epsilon=1.1 * truth, hint=Hint(point=point))
    assert (told.kind, told.queries) == (Kind.UPPER_BOUND, 3)  # the clean row, the point, and once more at the end


@pytest.mark.parametrize(("seed", "norm"), IN_TURN)
def test_a_question_at_a_radius_is_answered_as_counting_cells_does(seed, norm):
    net, x = small(seed)
    truth, model = distance(net, x, norm), perceptron(net)
    if np.isfinite(truth):
        assert find(model, x, norm, epsilon=0.97 * truth).kind is Kind.LOWER_BOUND
        broken = find(model, x, norm, epsilon=1.03 * truth)
        assert broken.kind is Kind.UPPER_BOUND
        assert truth * (1 - 1e-6) <= broken.value <= 1.03 * truth


def curved(op: str, net: list[cells.Layer]) -> OnnxClassifier:
    """Make a network of dense layers with a curve between them; "x * tanh(x)": a product of two values."""
    nodes, constants, value = [], {}, "x"
    for i, (w, b) in enumerate(net):
        constants |= {f"w{i}": w.T.astype(np.float32), f"b{i}": b.astype(np.float32)}
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"z{i}"]))
        value = f"z{i}"
        if i < len(net) - 1:
            nodes.append(helper.make_node("Tanh" if op == "x * tanh(x)" else op, [value], [f"h{i}"]))
            if op == "x * tanh(x)":
                nodes.append(helper.make_node("Mul", [value, f"h{i}"], [f"p{i}"]))
            value = f"{nodes[-1].output[0]}"
    outputs = [(value, TensorProto.FLOAT, ["N", len(net[-1][1])])]
    return opened(graph(nodes, ["N", net[0][0].shape[1]], outputs, constants, opset=20))


@pytest.mark.parametrize(
    ("op", "norm", "inputs"),
    [
        ("Tanh", Norm.L2, 12),
        ("Sigmoid", Norm.LINF, 12),
        ("Gelu", Norm.LINF, 12),
        ("x * tanh(x)", Norm.L1, 12),
        ("Gelu", Norm.L2, 2),
        ("Exp", Norm.L1, 2),
        ("x * tanh(x)", Norm.LINF, 2),
    ],
)
def test_both_ends_close_on_networks_of_any_curves(op, norm, inputs):
    """No input of a fine grid that is nearer is answered otherwise, whether intervals are split or boxes."""
    rng = np.random.default_rng(5)
    net = [(rng.normal(size=(n, m)).astype(np.float32).astype(float), np.zeros(n)) for m, n in pairwise((2, 6, 2))]
    net[0] = (np.pad(net[0][0], ((0, 0), (0, inputs - 2))), net[0][1])  # inputs beyond two move nothing
    x = np.full(inputs, 0.5, np.float32)
    middle = curved(op, net).scores(x[None])[0].astype(float)
    model = curved(op, [net[0], (net[1][0], np.array([0.3, -0.3]) - middle)])
    axis = np.linspace(0, 1, 401, dtype=np.float32)
    grid = np.pad(np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2), ((0, 0), (0, inputs - 2)), constant_values=0.5)
    away = lengths(grid[model.labels(grid) != model.labels(x[None])[0]].astype(float) - x, norm)
    found = find(model, x, norm, domains=300)
    assert found.value <= away.min() * (1 + 1e-6)
    assert found.details["upper"] <= 1.02 * found.value
    assert found.details["upper"] <= away.min() * 1.001
    assert find(model, x, norm, epsilon=0.98 * found.value).kind is Kind.LOWER_BOUND
    assert find(model, x, norm, epsilon=1.1 * found.details["upper"]).kind is Kind.UPPER_BOUND


@pytest.mark.parametrize("norm", NORMS)
def test_a_network_without_curves_and_one_without_a_side_to_choose_are_bounded_exactly(norm):
    (weights, bias), x = layers(2, 8, 3)[0], np.random.default_rng(2).uniform(0.4, 0.6, 8)
    positive = (np.abs(weights), np.full(3, 0.1, np.float32).astype(float))  # behind it every neuron is on, in the box
    for net in ([(weights, bias)], [positive, *layers(4, 3, 2)]):
        found = find(perceptron(net), x, norm)
        assert found.details["upper"] <= 1.002 * found.value


@pytest.mark.parametrize(("op", "norm"), [*product(["Relu"], NORMS), ("Tanh", Norm.L2)])
def test_more_domains_never_lower_what_is_known_and_repeat_the_shorter_search(op, norm):
    net = layers(8, 2, 24, 24, 3) if op == "Relu" else layers(8, 12, 8, 3)
    model, x = curved(op, net), np.array([0.4, 0.6, *[0.45] * 10])[: net[0][0].shape[1]]
    found = [find(model, x, norm, domains=domains) for domains in (1, 8, 60, 200)]
    for shorter, longer in pairwise(found):
        assert longer.value >= shorter.value
        curve = shorter.details["curve"][:-1]  # the last stage may go on
        assert longer.details["curve"][: len(curve)] == curve


@pytest.mark.parametrize("norm", NORMS)
def test_boxes_of_few_inputs_are_halved_until_both_ends_close(norm):
    """With many neurons for two inputs it is boxes that are split, not neurons' sides."""
    net, x = layers(5, 2, 40, 40, 3), np.array([0.45, 0.55], np.float32).astype(float)
    found, truth = find(perceptron(net), x, norm), distance(net, x, norm)
    assert 0.98 * truth <= found.value <= truth * (1 + 1e-9)
    assert truth * (1 - 1e-6) <= found.details["upper"] <= 1.02 * truth
