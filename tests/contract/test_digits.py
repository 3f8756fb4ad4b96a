"""The bundled models and samples are what `examples/digits/` makes."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from examples.digits import train, train_robust

DISTURBED = {"model.onnx": train.noisy, "model_robust.onnx": train_robust.adversarial}
FLOOR = {"model.onnx": 0.97, "model_robust.onnx": 0.95}  # of 400 test digits; the weights may differ between CPUs


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


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOOR)
def test_a_retrained_model_agrees_with_the_committed_one(unseen: train.Digits, tmp_path: Path, name: str) -> None:
    model = train.train(train.split()[0], DISTURBED[name])
    train.export(model, tmp_path / "model.onnx")

    retrained = predictions(tmp_path / "model.onnx", unseen.x)
    committed = predictions(train.HERE / name, unseen.x)
    assert np.mean(retrained == unseen.y) >= FLOOR[name]
    assert np.mean(retrained == committed) >= FLOOR[name]
