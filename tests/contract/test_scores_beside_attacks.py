"""Estimates are no bounds, but on an ordinary network they are of the size of what an attack reaches."""

from pathlib import Path

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.threat import Threat
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@pytest.fixture(scope="module")
def model() -> OnnxClassifier:
    network = read(check((DIGITS / "model.onnx").read_bytes()), None)
    return OnnxClassifier(network, differentiator(network, "cpu"), "cpu")


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
