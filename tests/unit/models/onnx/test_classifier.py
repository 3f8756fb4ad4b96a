"""What a file answers, as a label: the class it gives out, and none where it gives out no number."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from algorithms.errors import ModelFault
from algorithms.seam.access import Access
from algorithms.seam.labeling import named
from models.lifting import lifted
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import graph, linear

W, b = linear()
LINEAR = helper.make_node("Gemm", ["x", "W", "b"], ["z"])
ROOT = [
    helper.make_node("Slice", ["x", "from", "to", "axis"], ["first"]),  # (N, 1)
    helper.make_node("Sqrt", ["first"], ["root"]),  # NaN where the first feature is negative
    helper.make_node("Add", ["z", "root"], ["scores"]),
]
FIRST = {"from": np.array([0], np.int64), "to": np.array([1], np.int64), "axis": np.array([1], np.int64)}
SCORES = ("scores", TensorProto.FLOAT, ["N", 4])


def opened(nodes, output, **constants):
    data = graph([LINEAR, *nodes], ["N", 6], [output], {"W": W, "b": b, **constants})
    return OnnxClassifier(read(check(data), None), None, DEVICE)


def rows():
    x = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
    x[:, 0] = np.where(np.arange(8) % 2, -1, 1) * np.abs(x[:, 0])
    return x


def test_scores_that_are_nan_name_no_class():
    x = rows()
    answered = (x @ W + b).argmax(axis=1)
    assert opened(ROOT, SCORES, **FIRST).labels(x).tolist() == np.where(x[:, 0] < 0, -1, answered).tolist()


def test_a_label_that_a_cast_made_of_nan_is_none():
    """Cast leaves the most negative integer, or 0 on some machines: this graph says -1 itself."""
    nodes = [
        helper.make_node("ArgMax", ["z"], ["best"], axis=1, keepdims=0),
        helper.make_node("ReduceMin", ["x"], ["least"], axes=[1], keepdims=0),
        helper.make_node("Less", ["least", "limit"], ["is_strange"]),
        helper.make_node("Where", ["is_strange", "none", "best"], ["label"]),
    ]
    model = opened(
        nodes,
        ("label", TensorProto.INT64, ["N"]),
        limit=np.float32(-50),
        none=np.int64(-7),
    )
    assert set(model.offers) == {Access.LABELS}
    x = rows()
    x[::3, 2] = -100
    answered = (x @ W + b).argmax(axis=1)
    assert model.labels(x).tolist() == [-1 if i % 3 == 0 else answered[i] for i in range(8)]


def test_a_label_beside_scores_that_are_nan_is_none_either():
    """ArgMax names the first place that holds NaN."""
    label = helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0)
    outputs = [SCORES, ("label", TensorProto.INT64, ["N"])]
    data = graph([LINEAR, *ROOT, label], ["N", 6], outputs, {"W": W, "b": b, **FIRST})
    model = OnnxClassifier(read(check(data), None), None, DEVICE)
    x = rows()
    answered = (x @ W + b).argmax(axis=1)
    assert model.labels(x).tolist() == np.where(x[:, 0] < 0, -1, answered).tolist()
    assert (named(model.scores(x)) == model.labels(x)).all()


def test_a_row_whose_label_is_no_class_has_no_scores():
    scores = np.array([[1, 2, 0], [1, 2, 0], [3, 2, 0]], np.float32)
    lifted_ = lifted(scores, np.array([1, -1, 1]))
    assert named(lifted_).tolist() == [1, -1, 1]


def test_a_file_that_refuses_a_number_that_is_no_code_says_which_feature_to_hold():
    nodes = [
        *ROOT[:1],
        helper.make_node("Cast", ["first"], ["whole"], to=TensorProto.INT64),
        helper.make_node("OneHotEncoder", ["whole"], ["marks"], domain="ai.onnx.ml", cats_int64s=[1, 2], zeros=0),
        helper.make_node("Reshape", ["marks", "flat"], ["both"]),
        helper.make_node("MatMul", ["both", "V"], ["by_code"]),
        helper.make_node("Add", ["z", "by_code"], ["scores"]),
    ]
    model = opened(nodes, SCORES, **FIRST, flat=np.array([-1, 2], np.int64), V=W[:2])
    x = rows()
    x[:, 0] = 1
    assert (model.labels(x) == (x @ W + b + W[0]).argmax(axis=1)).all()
    x[3, 0] = 7
    with pytest.raises(ModelFault, match=r"codes \(0, counted from 0 along a row\).*handle_unknown"):
        model.labels(x)


@pytest.mark.parametrize("place", range(4))
def test_a_score_that_overflowed_names_no_class(place):
    """The exponential of 100 in one column, whatever stands in the others."""
    column = np.eye(4, dtype=np.float32)[place : place + 1]
    nodes = [
        *ROOT[:1],
        helper.make_node("Exp", ["first"], ["power"]),
        helper.make_node("MatMul", ["power", "column"], ["grown"]),
        helper.make_node("Where", ["chosen", "grown", "z"], ["scores"]),
    ]
    model = opened(nodes, SCORES, **FIRST, column=column, chosen=column.astype(bool))
    x = rows()
    x[::2, 0] = 100
    named = model.labels(x)
    assert (named[::2] == -1).all() and (named[1::2] >= 0).all()


@pytest.mark.parametrize(("tail", "classes"), [("Identity", 3), ("Softmax", 3), ("Sigmoid", 3), ("Sigmoid", 1)])
def test_float16_is_rounded_before_it_decides(tail: str, classes: int) -> None:
    """Two scores that float16 rounds to a tie are one where it is served: the first class, or none above 1/2."""
    W, b = (0.01 * value for value in linear(6, classes))
    data = graph(
        [helper.make_node("Gemm", ["x", "W", "b"], ["z"]), helper.make_node(tail, ["z"], ["y"])],
        ["N", 6],
        [("y", TensorProto.FLOAT16, ["N", classes])],
        {"W": W.astype(np.float16), "b": b.astype(np.float16)},
        dtype=TensorProto.FLOAT16,
    )
    x = np.random.default_rng(3).normal(size=(2000, 6)).astype(np.float32)
    (y,) = onnxruntime.InferenceSession(data).run(None, {"x": x.astype(np.float16)})
    model = OnnxClassifier(read(check(data), None), None, DEVICE)
    np.testing.assert_array_equal(model.labels(x), y.argmax(axis=1) if classes > 1 else y[:, 0] > 0.5)
