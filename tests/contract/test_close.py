"""`close` against counted cells of small networks; and what company changes: how far a search comes, nothing else."""

from itertools import pairwise

import numpy as np
import pytest
from onnx import TensorProto, helper

from algorithms.certificates.close.certificate import METHOD, CloseParams
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.seam.claims import Finding, Kind
from algorithms.seam.hint import Hint
from algorithms.threats.threat import Threat
from audits.evidence.brackets import proven, reached
from models.onnx.classifier import OnnxClassifier
from tests import cells
from tests.exports import graph
from tests.perceptrons import layers, opened, perceptron

NET = layers(8, 2, 8, 8, 3)
X = np.random.default_rng(1).uniform(0.2, 0.8, (3, 2)).astype(np.float32)


def close(
    model: OnnxClassifier,
    x: np.ndarray = X,
    norm: Norm = Norm.L2,
    *,
    indices: tuple[int, ...] | None = None,
    epsilon: float | None = None,
    hints: tuple[Hint, ...] | None = None,
    **params: object,
) -> list[Finding]:
    indices = indices or tuple(range(len(x)))
    samples = Samples(x[list(indices)], indices, labels=None, hints=hints)
    found = run(model, samples, METHOD, CloseParams(**params), Threat(norm, epsilon=epsilon), Budget(), seed=0)
    return [outcome.finding for outcome in found]


def ends(finding: Finding) -> tuple[float, float]:
    return (proven(finding) or (0.0, 1.0))[0], reached(finding) or np.inf


def distance(x: np.ndarray, norm: Norm) -> float:
    h = x.astype(float)
    for weights, bias in NET[:-1]:
        h = np.maximum(weights @ h + bias, 0)
    return cells.least_distance(NET, x.astype(float), int((NET[-1][0] @ h + NET[-1][1]).argmax()), norm)


@pytest.mark.parametrize("norm", NORMS)
def test_brackets_hold_the_radius_that_counting_cells_finds_and_close(norm):
    for x, finding in zip(X, close(perceptron(NET), norm=norm), strict=True):
        (lower, upper), truth = ends(finding), distance(x, norm)
        assert lower <= truth * (1 + 1e-9)
        assert np.isinf(truth) or (truth * (1 - 1e-6) <= upper <= 1.1 * lower)


@pytest.mark.parametrize("norm", NORMS)
def test_a_question_at_a_radius_is_answered_as_counting_cells_does(norm):
    x = X[:2]
    for share, kind in ((0.97, Kind.LOWER_BOUND), (1.03, Kind.UPPER_BOUND)):
        epsilon = share * distance(x[0], norm)
        assert close(perceptron(NET), x, norm, epsilon=epsilon)[0].kind is kind


def test_where_the_budget_is_enough_answers_are_the_same_bits_alone_and_in_company():
    model = perceptron(NET)
    together = close(model)
    assert together == [close(model, indices=(i,))[0] for i in range(len(X))]
    assert together == close(model, indices=(2, 1, 0))[::-1]


def test_company_decides_how_far_a_search_comes_and_not_where_it_goes():
    model = perceptron(NET)
    whole = [close(model, indices=(i,), ratio=1.01, domains=400)[0] for i in range(len(X))]
    for cut, finding in zip(close(model, ratio=1.01, domains=60), whole, strict=True):
        curve = cut.details.get("curve", [])[:-1]  # the last stage may go on
        assert finding.details.get("curve", [])[: len(curve)] == curve
        assert ends(cut)[0] <= ends(finding)[0] and ends(cut)[1] >= ends(finding)[1]


def test_a_larger_budget_does_the_same_and_then_more():
    model = perceptron(NET)
    found = [close(model, ratio=1.01, domains=domains) for domains in (1, 10, 60, 200)]
    spent = [sum(sum(finding.details["spent"].values()) for finding in findings) for findings in found]
    assert spent == sorted(spent) and spent[0] < spent[-1]
    for shorter, longer in pairwise(found):
        for less, more in zip(shorter, longer, strict=True):
            assert ends(less)[0] <= ends(more)[0] and ends(less)[1] >= ends(more)[1]
    assert all(total <= domains * len(X) for total, domains in zip(spent, (1, 10, 60, 200), strict=True))


def test_a_hint_is_where_it_begins_and_nothing_that_it_claims():
    model = perceptron(NET)
    (free,) = close(model, X[:1])
    lower, upper = ends(free)
    (told,) = close(model, X[:1], hints=(Hint(proven=lower, reached=upper),))
    assert ends(told)[1] < np.inf  # it found a point of its own, and what the hint proved is not its own
    (lied,) = close(model, X[:1], hints=(Hint(proven=100.0, reached=200.0),))
    assert ends(lied)[0] <= distance(X[0], Norm.L2)


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
    x = np.array([[0.2, 0.7, 0.4, 0.6]], np.float32)
    (finding,) = close(model, x, norm, domains=300)
    assert 0 < ends(finding)[0] <= ends(finding)[1]
    assert close(model, x, norm, epsilon=50.0)[0].details.get("reason") in (None, "not_proven")
