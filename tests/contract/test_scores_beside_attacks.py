"""Estimates are no bounds, but on an ordinary network they are of the size of what an attack reaches."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.threats.threat import Threat
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import graph, linear

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@pytest.fixture(scope="module")
def model() -> OnnxClassifier:
    network = read(check((DIGITS / "model.onnx").read_bytes()), None)
    return OnnxClassifier(network, differentiator(network, DEVICE), DEVICE)


@pytest.mark.parametrize("norm", NORMS)
def test_the_median_score_lies_below_the_median_distance_or_hardly_above(model, norm):
    assert Access.GRADIENTS in model.offers
    with np.load(DIGITS / "samples.npz") as npz:
        what = Samples(npz["x"][:6].astype(np.float32), tuple(range(6)), npz["y"][:6])

    def median(name: str, **params: object) -> float:
        chosen = method(name)
        outcomes = run(model, what, chosen, chosen.params(**params), Threat(norm), Budget(None), seed=0)
        return float(np.median([outcome.finding.value for outcome in outcomes]))

    share = median("clever", batches=10, batch_size=32) / median("pgd", steps=20)
    assert 0.1 < share < 1.1


def stepped(share: float) -> OnnxClassifier:
    """f(x) = W x + share V floor(50 x) / 50: the rounded part has no gradient, and moves the scores all the same."""
    (W, b), (V, _) = linear(seed=0), linear(seed=1)
    nodes = [
        helper.make_node("Gemm", ["x", "W", "b"], ["shown"]),
        helper.make_node("Mul", ["x", "fifty"], ["scaled"]),
        helper.make_node("Floor", ["scaled"], ["steps"]),
        helper.make_node("MatMul", ["steps", "V"], ["hidden"]),
        helper.make_node("Add", ["shown", "hidden"], ["z"]),
    ]
    tensors = {"W": W, "b": b, "fifty": np.float32([50]), "V": (share * V / 50).astype(np.float32)}
    network = read(check(graph(nodes, ["N", 6], [("z", TensorProto.FLOAT, ["N", 4])], tensors)), None)
    return OnnxClassifier(network, differentiator(network, DEVICE), DEVICE)


@pytest.mark.parametrize(("share", "reason"), [(0.0, None), (0.2, "gradient_masked"), (1.0, "gradient_masked")])
def test_a_files_constant_gradient_is_believed_where_it_tells_how_the_scores_move(share, reason):
    chosen, x = method("clever"), np.random.default_rng(2).uniform(0.3, 0.7, (3, 6)).astype(np.float32)
    what = Samples(x, (0, 1, 2), None)
    outcomes = run(
        stepped(share), what, chosen, chosen.params(batches=5, batch_size=16), Threat(), Budget(None), seed=0
    )
    told = [(o.finding.details.get("reason"), o.finding.value is None) for o in outcomes]
    assert told == [(reason, reason is not None)] * 3
