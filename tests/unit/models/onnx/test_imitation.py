"""The network that learns another model's answers, the file it becomes, and the rows it asks about next."""

import numpy as np
import onnxruntime
import pytest
import torch

from algorithms.seam.access import Access
from algorithms.threats.threat import Threat
from models.onnx.imitation import fitting
from models.onnx.imitation.export import exported
from models.onnx.imitation.learning import agreement, next_rows, slopes
from models.onnx.imitation.network import Design
from models.onnx.inspection import inspect

SHAPES = [(5,), (8, 8), (10, 9, 3), (2, 70, 64)]
CLASSES, ROWS = 3, 30


def answered(shape, classes=CLASSES):
    """Rows, and a label that the sum over a third of each tells."""
    x = np.random.default_rng(0).uniform(size=(ROWS, *shape)).astype(np.float32)
    part = x.reshape(ROWS, -1)[:, : max(1, x[0].size // 3)].mean(axis=1)
    labels = np.digitize(part, np.quantile(part, [1 / 3, 2 / 3])).astype(np.int64)
    return x, labels, np.eye(classes, dtype=np.float32)[labels]


def trained(shape, seed=7):
    x, _, answers = answered(shape)
    return fitting.fit(x, answers, seed=seed, number=0)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(fitting, "STEPS", 10)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_file_answers_as_the_network_does_and_gives_its_gradients(shape):
    network, (x, _, _) = trained(shape), answered(shape)
    data = exported(network)
    found = inspect(data, preprocessing=None, device="cpu")
    assert (found.input.shape, found.output.classes, found.output.kind) == (shape, CLASSES, "logits")
    assert Access.GRADIENTS in found.offers
    with torch.no_grad():
        expected = network.logits(torch.from_numpy(x)).numpy()
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    assert session.run(None, {"x": x})[0] == pytest.approx(expected, abs=1e-4)


def test_the_same_rows_and_seed_give_the_same_file():
    assert exported(trained((1, 8, 8))) == exported(trained((1, 8, 8)))
    assert exported(trained((1, 8, 8))) != exported(trained((1, 8, 8), seed=8))


def test_it_learns_what_it_is_told(monkeypatch):
    monkeypatch.setattr(fitting, "STEPS", 300)
    x, labels, _ = answered((4,))
    assert agreement(trained((4,)), x, labels) > 0.8, "a third of them would be chance"


def test_rows_without_an_answer_teach_nothing():
    x, _, answers = answered((4,))
    silent = answers.copy()
    silent[::2] = 0
    network = fitting.fit(x, np.zeros_like(answers), seed=1, number=0)
    assert all(np.isfinite(w.numpy()).all() for w in network.weights.values())
    assert exported(fitting.fit(x, silent, seed=1, number=0)) != exported(fitting.fit(x, answers, seed=1, number=0))


def test_features_that_do_not_vary_are_no_fault():
    x, _, answers = answered((4,))
    x[:, 1] = 3.0
    network = fitting.fit(x, answers, seed=1, number=0)
    assert np.isfinite(network.logits(torch.from_numpy(x)).detach().numpy()).all()
    one = np.full((ROWS, 1, 8, 8), 0.5, np.float32)
    assert np.isfinite(fitting.fit(one, answers, seed=1, number=0).width).all()


def test_slopes_are_those_of_the_label_s_log_probability():
    network, (x, labels, _) = trained((3,)), answered((3,))
    found, h = slopes(network, x, labels), 1e-3

    def log_p(rows):
        with torch.no_grad():
            z = network.logits(torch.from_numpy(rows)).double().numpy()
        return z[np.arange(ROWS), labels] - np.log(np.exp(z).sum(axis=1))

    for i in range(3):
        step = np.zeros(3, np.float32)
        step[i] = h
        measured = (log_p(x + step) - log_p(x - step)) / (2 * h)
        assert np.median(np.abs(measured - found[:, i])) < 0.01 * max(1, np.abs(found).max())


def test_all_rows_that_are_made_are_asked_about_in_the_plain_method_and_as_many_with_a_share_of_one():
    network, (x, labels, _) = trained((6,)), answered((6,))
    asked = {"known": x[:0], "step": 0.1, "wanted": ROWS}
    plain = next_rows(network, x, labels, Threat(), **asked, is_active=False)
    active = next_rows(network, x, labels, Threat(), **asked, is_active=True)
    assert len(plain) == ROWS
    assert plain.tobytes() == active.tobytes()


def test_new_rows_are_valid_new_and_no_more_than_wanted():
    network, (x, labels, _) = trained((1, 8, 8)), answered((1, 8, 8))
    rows = next_rows(network, x, labels, Threat(), known=x[:0], step=0.3, wanted=7, is_active=True)
    assert rows.shape == (7, 1, 8, 8)
    assert rows.dtype == np.float32
    assert Threat().box.contains(rows).all()
    everything = next_rows(network, x, labels, Threat(), known=rows, step=0.3, wanted=ROWS, is_active=True)
    assert len(everything) == ROWS - 7, "rows that were answered elsewhere are not made again"


def test_no_row_is_made_where_nothing_is_new():
    network, (x, labels, _) = trained((6,)), answered((6,))
    made = next_rows(network, x, labels, Threat(), known=x[:0], step=0.1, wanted=ROWS, is_active=False)
    assert next_rows(network, x, labels, Threat(), known=made, step=0.1, wanted=9, is_active=True).shape == (0, 6)


def test_large_images_cost_no_more_than_small_ones():
    shapes = [Design.of(shape, 10) for shape in ((3, 32, 32), (3, 224, 224), (1000, 800, 3))]
    assert max(design.flat for design in shapes) <= 4096
