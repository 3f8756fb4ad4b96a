"""The bundled model and samples are what `examples/digits/train.py` makes."""

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from examples.digits import train

FLOOR = 0.97  # share of the 400 test digits; the weights themselves may differ between kinds of CPU


@pytest.fixture(scope="module")
def unseen() -> train.Digits:
    return train.split()[1]


def predictions(path: Path, x: NDArray[np.float32]) -> NDArray[np.int64]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"digits": x})
    return logits.argmax(axis=1)


def test_the_committed_model_reads_digits(unseen: train.Digits) -> None:
    assert np.mean(predictions(train.HERE / "model.onnx", unseen.x) == unseen.y) >= FLOOR


def test_the_committed_model_is_small_enough_to_live_in_the_repository() -> None:
    assert (train.HERE / "model.onnx").stat().st_size < 200_000


def test_the_committed_samples_are_the_first_unseen_digits(unseen: train.Digits) -> None:
    with np.load(train.HERE / "samples.npz", allow_pickle=False) as samples:
        assert samples["x"].dtype == np.float32
        np.testing.assert_array_equal(samples["x"], unseen.x[: train.SAMPLES])
        np.testing.assert_array_equal(samples["y"], unseen.y[: train.SAMPLES])


@pytest.mark.slow
def test_a_retrained_model_agrees_with_the_committed_one(unseen: train.Digits, tmp_path: Path) -> None:
    model = train.train(train.split()[0])
    train.export(model, tmp_path / "model.onnx")

    retrained = predictions(tmp_path / "model.onnx", unseen.x)
    committed = predictions(train.HERE / "model.onnx", unseen.x)
    assert np.mean(retrained == unseen.y) >= FLOOR
    assert np.mean(retrained == committed) >= FLOOR
