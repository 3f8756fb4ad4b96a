"""The network that learns another model's answers, the file it becomes, and the rows it asks about next."""

import numpy as np
import onnxruntime
import pytest
import torch

from algorithms.seam.access import Access
from algorithms.threats.threat import Threat
from models.onnx.imitation import fitting
from models.onnx.imitation.export import exported
from models.onnx.imitation.learning import agreement, best, next_rows, slopes
from models.onnx.imitation.network import designs
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
    return fit(x, answers, seed=seed)


def fit(x, answers, seed=1, design=0):
    return fitting.fit(designs(x.shape[1:], CLASSES)[design], x, answers, seed=seed, number=0)


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(fitting, "STEPS", 10)


@pytest.mark.parametrize(("shape", "design"), [*((shape, 0) for shape in SHAPES), ((10, 9, 3), 1)], ids=str)
def test_the_file_answers_as_the_network_does_and_gives_its_gradients(shape, design):
    x, _, answers = answered(shape)
    network = fit(x, answers, design=design)
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
    network = fit(x, np.zeros_like(answers))
    assert all(np.isfinite(w.numpy()).all() for w in network.weights.values())
    assert exported(fit(x, silent)) != exported(fit(x, answers))


def test_features_that_do_not_vary_are_no_fault():
    x, _, answers = answered((4,))
    x[:, 1] = 3.0
    network = fit(x, answers)
    assert np.isfinite(network.logits(torch.from_numpy(x)).detach().numpy()).all()
    one = np.full((ROWS, 1, 8, 8), 0.5, np.float32)
    assert np.isfinite(fit(one, answers).width).all()


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
    shapes = [designs(shape, 10) for shape in ((3, 32, 32), (3, 224, 224), (1000, 800, 3))]
    assert max(convolved.flat for convolved, *_ in shapes) <= 4096
    assert [len(each) for each in shapes] == [2, 1, 1], "what is averaged down is not learned number by number"


def test_a_small_image_whose_pixels_stand_for_themselves_is_learned_without_convolutions(monkeypatch):
    monkeypatch.setattr(fitting, "STEPS", 150)
    rng = np.random.default_rng(0)
    weights, x = rng.normal(size=(64, CLASSES)), rng.uniform(size=(400, 1, 8, 8)).astype(np.float32)
    labels = ((x.reshape(400, 64) - 0.5) @ weights).argmax(axis=1)
    answers = np.eye(CLASSES, dtype=np.float32)[labels]
    networks = [fit(x[:100], answers[:100], design=i) for i in range(2)]
    chosen = best(networks, x[100:], labels[100:])
    assert [network.design.convolutions for network in (*networks, chosen)] == [1, 0, 0]
    convolved, dense = (agreement(network, x[100:], labels[100:]) for network in networks)
    assert dense > convolved + 0.1


def test_a_lead_that_chance_explains_changes_no_design():
    x, _, answers = answered((1, 8, 8))
    first, second = (fit(x, answers, design=i) for i in range(2))
    rows = np.random.default_rng(1).uniform(size=(200, 1, 8, 8)).astype(np.float32)
    named = [network.logits(torch.from_numpy(rows)).argmax(1).numpy() for network in (first, second)]
    differ = np.flatnonzero(named[0] != named[1])[:16]
    for won, chosen in ((3, first), (4, first), (12, first), (13, second)):  # of 16, 13 or more with probability 0.02
        labels = np.where(np.arange(16) < won, named[1][differ], named[0][differ])
        assert best([first, second], rows[differ], labels) is chosen
    assert best([first, second], rows[:0], labels[:0]) is first
