"""Files that serve float64: classes that they tell apart are told apart, also where float32 knows no difference."""

import numpy as np
import pytest
from onnx import TensorProto, helper

from algorithms.seam.access import Access
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.gradients.differentiator import differentiator
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import graph

RNG = np.random.default_rng(11)
W, b = RNG.normal(size=(6, 3)), RNG.normal(size=3)
ROWS = RNG.normal(size=(300, 6)).astype(np.float32)
Z = ROWS.astype(np.float64) @ W + b  # (300, 3)
FAR, NEAR = np.array([1e7]), np.array([1e-9])
AFFINE = [
    helper.make_node("Cast", ["x"], ["wide"], to=TensorProto.DOUBLE),
    helper.make_node("MatMul", ["wide", "W"], ["product"]),
    helper.make_node("Add", ["product", "b"], ["z"]),
]
ADD = helper.make_node("Add", ["z", "far"], ["y"])
SHRINK = helper.make_node("Mul", ["z", "near"], ["small"])
MANY, ONE = ("y", TensorProto.DOUBLE, ["N", 3]), ("y", TensorProto.DOUBLE, ["N", 1])


def opened(nodes, outputs, classes=slice(None)):
    data = graph([*AFFINE, *nodes], ["N", 6], outputs, {"W": W[:, classes], "b": b[classes], "far": FAR, "near": NEAR})
    found = inspect(data, preprocessing=None, device=DEVICE)
    network = read(check(data), None)
    gradients = differentiator(network, DEVICE) if Access.GRADIENTS in found.offers else None
    return found, OnnxClassifier(network, gradients, DEVICE)


@pytest.mark.parametrize(
    "tail",
    [[ADD], [SHRINK, helper.make_node("Softmax", ["small"], ["y"], axis=1)]],
    ids=["logits far from 0", "a soft-max near the mean"],
)
def test_labels_and_margins_are_those_of_the_scores_as_they_are_served(tail):
    found, model = opened(tail, [MANY])
    assert set(found.offers) == {Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS}
    np.testing.assert_array_equal(model.labels(ROWS), Z.argmax(axis=1))
    scores = model.scores(ROWS)
    np.testing.assert_array_equal(scores.argmax(axis=1), Z.argmax(axis=1))
    unit = 1.0 if tail == [ADD] else 1e-9
    np.testing.assert_allclose(np.diff(scores), unit * np.diff(Z), rtol=0, atol=1e-8 * unit)
    again, gradients = model.offers[Access.GRADIENTS].gradients(
        ROWS, lambda own, _at: np.eye(3)[np.ones(len(own), int)]
    )
    np.testing.assert_array_equal(again.argmax(axis=1), Z.argmax(axis=1))
    np.testing.assert_allclose(gradients, unit * np.broadcast_to(W[:, 1], (300, 6)), rtol=1e-6)


@pytest.mark.parametrize(
    "tail",
    [
        [SHRINK, helper.make_node("Sigmoid", ["small"], ["y"])],
        [helper.make_node("Identity", ["z"], ["y"])],
    ],
    ids=["probability", "logit"],
)
def test_one_number_is_cut_where_it_is_served(tail):
    _, model = opened(tail, [ONE], slice(1))
    np.testing.assert_array_equal(model.labels(ROWS), Z[:, 0] > 0)
    np.testing.assert_array_equal(model.scores(ROWS).argmax(axis=1), Z[:, 0] > 0)


def test_a_label_beside_scores_is_held_against_them_in_float64():
    """The label is the least of three scores that float32 rounds to the same."""
    label = helper.make_node("ArgMin", ["y"], ["label"], axis=1, keepdims=0)
    found, model = opened([ADD, label], [MANY, ("label", TensorProto.INT64, ["N"])])
    assert found.label_output_differs
    assert found.offers == (Access.LABELS,)
    np.testing.assert_array_equal(model.labels(ROWS), Z.argmin(axis=1))


def test_classes_of_a_label_are_counted_where_it_is_chosen_in_float64():
    """The third class is that of no row that was tried."""
    label = helper.make_node("ArgMax", ["y"], ["label"], axis=1, keepdims=0)
    last = helper.make_node("Sub", ["z", "never"], ["y"])
    data = graph(
        [*AFFINE, last, label],
        ["N", 6],
        [("label", TensorProto.INT64, ["N"])],
        {"W": W, "b": b, "never": np.array([0.0, 0.0, 1e9])},
    )
    found = inspect(data, preprocessing=None, device=DEVICE)
    assert found.output.classes == 3
    assert found.reads.because == "graph"
