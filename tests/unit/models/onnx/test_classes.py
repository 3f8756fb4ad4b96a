"""The names that a file gives to its classes are read in the order of its scores' columns."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from models.onnx.classes import ClassNames, named_classes
from tests.exports import graph, linear

X = np.random.default_rng(3).normal(size=(90, 4)).astype(np.float32)
KINDS = np.digitize(X[:, 0] + X[:, 1], [-0.7, 0.7])
W, b = linear()
INT, TEXT = TensorProto.INT64, TensorProto.STRING
ESTIMATORS = {
    "linear": LogisticRegression(),
    "kernel": SVC(),
    "tree": DecisionTreeClassifier(max_depth=3),
    "looked up by an ArgMax": SGDClassifier(random_state=0),
    "standard operators": GaussianNB(),
    "behind a scaler": make_pipeline(StandardScaler(), LogisticRegression()),
}


@pytest.mark.parametrize("names", [(1, 2, 3), (-1, 1, 5), ("no", "yes", "zéro")], ids=str)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_names_of_an_estimators_classes_are_found(estimator: str, names: ClassNames) -> None:
    fitted = ESTIMATORS[estimator].fit(X, np.asarray(names)[KINDS])
    model = to_onnx(fitted, X[:1])
    assert named_classes(model, model.graph.output[0].name) == names


def by_encoder(keys: list[int], values: list[str]) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gemm", ["x", "W", "b"], ["z"]),
        helper.make_node("ArgMax", ["z"], ["i"], axis=1, keepdims=0),
        helper.make_node(
            "LabelEncoder", ["i"], ["label"], domain="ai.onnx.ml", keys_int64s=keys, values_strings=values
        ),
    ]
    return onnx.load_from_string(graph(nodes, ["N", 6], [("label", TEXT, ["N"])], {"W": W, "b": b}))


def test_names_behind_an_encoder_stand_in_the_order_of_the_scores() -> None:
    assert named_classes(by_encoder([2, 0, 1], ["c", "a", "b"]), "label") == ("a", "b", "c")


@pytest.mark.parametrize(("keys", "values"), [([1, 2, 3], ["a", "b", "c"]), ([0, 1], ["same", "same"])])
def test_names_that_tell_no_order_are_none(keys: list[int], values: list[str]) -> None:
    assert named_classes(by_encoder(keys, values), "label") is None


def test_a_bare_argmax_names_nothing() -> None:
    nodes = [helper.make_node("Gemm", ["x", "W", "b"], ["z"]), helper.make_node("ArgMax", ["z"], ["label"], axis=1)]
    model = onnx.load_from_string(graph(nodes, ["N", 6], [("label", INT, ["N", 1])], {"W": W, "b": b}))
    assert named_classes(model, "label") is None
