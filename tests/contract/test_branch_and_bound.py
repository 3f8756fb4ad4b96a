"""Branch and bound against what is known: cells of small networks counted out, and its own shorter searches."""

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from algorithms.certificates.branch_and_bound import METHOD, BranchAndBoundParams
from algorithms.driver.running import Samples, run
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


@pytest.mark.parametrize(("seed", "norm"), CASES)
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


@pytest.mark.parametrize(("seed", "norm"), CASES)
def test_a_question_at_a_radius_is_answered_as_counting_cells_does(seed, norm):
    net, x = small(seed)
    truth, model = distance(net, x, norm), perceptron(net)
    if np.isfinite(truth):
        assert find(model, x, norm, epsilon=0.97 * truth).kind is Kind.LOWER_BOUND
        broken = find(model, x, norm, epsilon=1.03 * truth)
        assert broken.kind is Kind.UPPER_BOUND
        assert truth * (1 - 1e-6) <= broken.value <= 1.03 * truth


@pytest.mark.parametrize("norm", NORMS)
def test_a_network_of_other_curves_is_told_what_optimized_lines_prove(norm):
    rng = np.random.default_rng(3)
    constants = {"w": rng.normal(size=(4, 6)).astype(np.float32), "v": rng.normal(size=(6, 3)).astype(np.float32)}
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Tanh", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "v"], ["z"]),
    ]
    model = opened(graph(nodes, ["N", 4], [("z", TensorProto.FLOAT, ["N", 3])], constants))
    x = np.array([0.2, 0.7, 0.4, 0.6])
    radius = find(model, x, norm).value
    assert radius > 0
    assert find(model, x, norm, epsilon=0.9 * radius).kind is Kind.LOWER_BOUND
    assert find(model, x, norm, epsilon=50.0).details["reason"] == "not_proven"


@pytest.mark.parametrize("norm", NORMS)
def test_a_network_without_curves_and_one_without_a_side_to_choose_are_bounded_exactly(norm):
    (weights, bias), x = layers(2, 8, 3)[0], np.random.default_rng(2).uniform(0.4, 0.6, 8)
    positive = (np.abs(weights), np.full(3, 0.1, np.float32).astype(float))  # behind it every neuron is on, in the box
    for net in ([(weights, bias)], [positive, *layers(4, 3, 2)]):
        found = find(perceptron(net), x, norm)
        assert found.details["upper"] <= 1.002 * found.value


@pytest.mark.parametrize("norm", NORMS)
def test_more_domains_never_lower_what_is_known_and_repeat_the_shorter_search(norm):
    net, x = layers(8, 2, 24, 24, 3), np.array([0.4, 0.6])
    model = perceptron(net)
    found = [find(model, x, norm, domains=domains) for domains in (1, 8, 60, 400)]
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
