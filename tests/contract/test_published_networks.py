"""Networks of other people's publications open with everything they should offer."""

import numpy as np
import pytest

from algorithms.seam.access import Access
from models.onnx.gate.check import check
from models.onnx.gradients.differentiator import differentiator
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE
from tests.published import data_folder

NETS = {  # shape of a row, classes
    "cifar_cnn_a_adv": ((3, 32, 32), 10),
    "mnist-7": ((1, 28, 28), 10),
    "mnist_cnn_a_adv": ((1, 28, 28), 10),
    "mnist_convsmall_nat": ((1, 28, 28), 10),
    "mnist_cw7": ((1, 28, 28), 10),
    "mnist_madry_tiny": ((1, 28, 28), 10),
    "mnist_tiny_2x20": ((1, 28, 28), 10),
    "ppo_CartPole-v1": ((4,), 2),
}


@pytest.mark.reference
@pytest.mark.parametrize("net", NETS)
def test_a_published_network_offers_its_gradients_and_bounds(net: str) -> None:
    found = inspect(data_folder(f"nets/{net}.onnx").read_bytes(), preprocessing=None, device=DEVICE)
    assert (found.input.shape, found.output.classes) == NETS[net]
    assert (found.input.batch, found.output.kind, found.withheld) == (None, "logits", ())
    assert found.offers == (Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS)
    assert found.parity is not None
    assert found.parity.max_abs_difference < 1e-4


@pytest.mark.reference
@pytest.mark.parametrize("net", ["mnist_cw7", "mnist-7", "cifar_cnn_a_adv"])
def test_a_published_network_answers_a_row_alone_as_in_company(net: str) -> None:
    network = read(check(data_folder(f"nets/{net}.onnx").read_bytes()), None)
    session, name = network.session(), str(network.rebuilt.scores)
    rows = np.random.default_rng(0).random((257, *network.input.shape), dtype=np.float32)
    whole = session.ask(rows, name)
    for size in (*range(1, 20), 31, 32, 33, 63, 64, 65, 127, 128, 129, 256):
        np.testing.assert_array_equal(session.ask(rows[-size:], name), whole[-size:])
    model = differentiator(network, DEVICE)
    _, slopes = model.gradients(rows[:40], lambda own, _: np.eye(10)[own.argmax(axis=1)])
    for size in (1, 2, 7, 32, 33):
        _, own = model.gradients(rows[40 - size : 40], lambda own, _: np.eye(10)[own.argmax(axis=1)])
        np.testing.assert_array_equal(own, slopes[40 - size :])


@pytest.mark.reference
@pytest.mark.parametrize("path", ["mnist_fc/onnx/mnist-net_256x2.onnx", "acasxu/onnx/ACASXU_run2a_1_1_batch_2000.onnx"])
def test_a_competition_network_fixed_to_one_row_takes_any_number(path: str) -> None:
    found = inspect(data_folder(f"verification/{path}").read_bytes(), preprocessing=None, device=DEVICE)
    assert found.input.batch is None
    assert Access.GRADIENTS in found.offers
