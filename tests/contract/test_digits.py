"""The bundled models and samples are what `examples/digits/` makes."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threats.threat import Threat
from examples.digits import train, train_provable, train_robust
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read
from tests.devices import DEVICE

RETRAINED = {
    "model.onnx": lambda: train.train(train.split()[0]),
    "model_robust.onnx": lambda: train.train(train.split()[0], train_robust.adversarial),
    "model_provable.onnx": train_provable.trained,
}
FLOOR = {  # of 400 test digits; the weights may differ between CPUs
    "model.onnx": 0.97,
    "model_robust.onnx": 0.95,
    "model_provable.onnx": 0.965,
}


@pytest.fixture(scope="module")
def unseen() -> train.Digits:
    return train.split()[1]


def predictions(path: Path, x: NDArray[np.float32]) -> NDArray[np.int64]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"digits": x})
    return logits.argmax(axis=1)


@pytest.mark.parametrize("name", FLOOR)
def test_a_committed_model_reads_digits(unseen: train.Digits, name: str) -> None:
    assert np.mean(predictions(train.HERE / name, unseen.x) == unseen.y) >= FLOOR[name]


@pytest.mark.parametrize("name", FLOOR)
def test_a_committed_model_is_small_enough_to_live_in_the_repository(name: str) -> None:
    assert (train.HERE / name).stat().st_size < 200_000


def test_the_committed_samples_are_the_first_unseen_digits(unseen: train.Digits) -> None:
    with np.load(train.HERE / "samples.npz", allow_pickle=False) as samples:
        assert samples["x"].dtype == np.float32
        np.testing.assert_array_equal(samples["x"], unseen.x[: train.SAMPLES])
        np.testing.assert_array_equal(samples["y"], unseen.y[: train.SAMPLES])


@pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])
def test_a_proof_reaches_most_digits_of_the_demo(norm: Norm) -> None:
    """Optimized bounds alone, and one attack: upper end over lower end at most 1.1."""
    network = read(onnx.load(train.HERE / "model_provable.onnx"), None)
    model = OnnxClassifier(network, differentiator(network, DEVICE), DEVICE, bounder(network, DEVICE))
    with np.load(train.HERE / "samples.npz") as samples:
        rows = Samples(samples["x"][:20], tuple(range(20)), labels=None)
    lower, upper = (
        [
            outcome.finding.value or np.inf
            for outcome in run(model, rows, chosen, chosen.params(), Threat(norm), Budget(), seed=0)
        ]
        for chosen in (method("alpha_crown"), method("fmn"))
    )
    ratios = np.array(upper) / lower
    assert (ratios >= 1).all()
    assert np.mean(ratios <= 1.1) >= 0.8


def test_the_provable_model_learns_by_bounds_that_hold() -> None:
    """No point of the l2 ball has a margin below what the training's own lines say."""
    generator = torch.Generator().manual_seed(0)
    model, x, y = train_provable.network(), torch.rand(3, 1, 8, 8, generator=generator), torch.tensor([0, 4, 9])
    for radius in (0.0, 0.4, 3.0):
        least = train_provable.least_margins(model, x, y, radius)
        steps = nn.functional.normalize(torch.randn(500, 3, 64, generator=generator), dim=2) * radius
        scores = model((x.flatten(1) + steps).reshape(-1, 64)).reshape(500, 3, 10)
        margins = scores.gather(2, y.expand(500, 3)[:, :, None]) - scores
        assert (margins >= least - 1e-4).all()
        if radius == 0:
            torch.testing.assert_close(margins[0], least)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["model.onnx", *(pytest.param(name, marks=pytest.mark.every) for name in FLOOR if name != "model.onnx")]
)
def test_a_retrained_model_agrees_with_the_committed_one(unseen: train.Digits, tmp_path: Path, name: str) -> None:
    model = RETRAINED[name]()
    train.export(model, tmp_path / "model.onnx")

    retrained = predictions(tmp_path / "model.onnx", unseen.x)
    committed = predictions(train.HERE / name, unseen.x)
    assert np.mean(retrained == unseen.y) >= FLOOR[name]
    assert np.mean(retrained == committed) >= FLOOR[name]
