"""Numbers picked by index have the gradients of what was picked, wherever the index is counted from."""

import numpy as np
import onnx
import pytest
import torch
from onnx import helper
from torch import nn

from algorithms.seam.access import Access
from models.onnx.gradients.differentiator import differentiator
from models.onnx.gradients.gathering import one_hot
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import classic, graph

SHAPE = (4, 6)
FLOAT = 1
X = np.random.default_rng(0).normal(size=(3, *SHAPE)).astype(np.float32)


def ints(*numbers):
    return np.array(numbers, np.int64)


def gather(axis, indices, picked):
    return [helper.make_node("Gather", ["x", "i"], ["m"], axis=axis)], {"i": indices}, picked


# name -> (nodes that make m of x, constants, what numpy picks of X)
CASES = {
    "last step, a scalar": gather(1, np.array(-1), X[:, -1]),
    "one before it, a scalar": gather(-2, np.array(-2), X[:, -2]),
    "a feature, a scalar": gather(-1, np.array(-6), X[..., -6]),
    "a list from both ends": gather(1, ints(-1, 0, -3), X[:, [-1, 0, -3]]),
    "int32": gather(2, np.array([-1, 2], np.int32), X[..., [-1, 2]]),
    "a table of indices": gather(-1, np.array([[-1, 2], [0, -3]]), X[..., [[-1, 2], [0, -3]]]),
    "the same one twice": gather(1, ints(-1, -1), X[:, [-1, -1]]),
    "elements": (
        [
            helper.make_node("Mul", ["x", "nil"], ["flat"]),
            helper.make_node("Slice", ["flat", "from", "to", "axis"], ["few"]),
            helper.make_node("Cast", ["few"], ["whole"], to=7),
            helper.make_node("Add", ["whole", "i"], ["at"]),  # (N, 4, 2) of -1 and 0
            helper.make_node("GatherElements", ["x", "at"], ["m"], axis=-1),
        ],
        {"nil": np.float32(0), "from": ints(0), "to": ints(2), "axis": ints(2), "i": ints(-1, 0)},
        X[..., [-1, 0]],
    ),
    "tuples, each row its own": (
        [
            helper.make_node("Shape", ["x"], ["size"]),
            helper.make_node("Slice", ["size", "from", "to"], ["rows"]),
            helper.make_node("Concat", ["rows", "rest"], ["full"], axis=0),
            helper.make_node("Expand", ["i", "full"], ["at"]),  # (N, 2, 2)
            helper.make_node("GatherND", ["x", "at"], ["m"], batch_dims=1),
        ],
        {"from": ints(0), "to": ints(1), "rest": ints(2, 2), "i": np.array([[[-1, -2], [0, 3]]])},
        np.stack([X[:, -1, -2], X[:, 0, 3]], axis=1),
    ),
}


@pytest.mark.parametrize(("nodes", "constants", "picked"), CASES.values(), ids=CASES)
def test_the_gradient_of_what_is_picked_is_one_where_it_was_picked(nodes, constants, picked):
    """z = (sum, and minus the sum) of the numbers picked, each times its own weight."""
    weights = np.arange(1, picked[0].size + 1, dtype=np.float32).reshape(-1, 1) * np.array([[1, -1]], np.float32)
    tail = [helper.make_node("Flatten", ["m"], ["flat_m"]), helper.make_node("MatMul", ["flat_m", "W"], ["z"])]
    data = graph([*nodes, *tail], ["N", *SHAPE], [("z", FLOAT, ["N", 2])], {"W": weights, **constants}, opset=17)
    found = inspect(data, preprocessing=None, device=DEVICE)
    assert Access.GRADIENTS in found.offers, found.withheld
    scores, gradients = differentiator(read(onnx.load_from_string(data), None), DEVICE).gradients(
        X, lambda own, _: np.eye(2)[[0] * len(own)]
    )
    np.testing.assert_allclose(scores, picked.reshape(3, -1) @ weights, rtol=1e-5)
    np.testing.assert_array_equal(gradients.sum(axis=(1, 2)), np.full(3, weights[:, 0].sum()))
    step = np.zeros_like(X)
    step[:, -1, -1] = 1  # what a unit step in the last number of a row changes, exactly: the model is linear
    moved = scores_of(data, X + step) - scores_of(data, X)
    np.testing.assert_allclose(gradients[:, -1, -1], moved[:, 0], atol=1e-3)


def scores_of(data, rows):
    return differentiator(read(onnx.load_from_string(data), None), DEVICE).gradients(rows, lambda own, _: own * 0)[0]


class LastStep(nn.Module):
    """A recurrent network that classifies a sequence by its last step."""

    def __init__(self, kind):
        super().__init__()
        self.steps, self.head = kind(6, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x):
        return self.head(self.steps(x)[0][:, -1])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_network_read_by_its_last_step_keeps_its_gradients(kind):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = LastStep(kind).eval()
    data = classic(net, torch.zeros(2, *SHAPE), 17, any_batch=True)
    found = inspect(data, preprocessing=None, device=DEVICE)
    assert Access.GRADIENTS in found.offers, found.withheld
    x = torch.from_numpy(X).requires_grad_(True)
    scores = net(x)
    (expected,) = torch.autograd.grad(scores[:, 1].sum(), x)
    own, gradients = differentiator(read(onnx.load_from_string(data), None), DEVICE).gradients(
        X, lambda z, _: np.eye(3)[[1] * len(z)]
    )
    np.testing.assert_allclose(own, scores.detach(), atol=1e-5)
    np.testing.assert_allclose(gradients, expected, atol=1e-5)


def test_an_index_out_of_range_is_written_as_nothing_and_a_negative_one_counts_from_the_end():
    found = one_hot(torch.tensor([0, -1, 3, -4]), torch.tensor([3]), torch.tensor([0.0, 7.0]), -1)
    assert found.tolist() == [[7, 0, 0], [0, 0, 7], [0, 0, 0], [0, 0, 0]]
