"""scikit-learn's exports decide as it does; networks and linear models among them keep their gradients, also scaled."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from algorithms.seam.access import Access
from models.onnx.gate.check import check
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import graph

RNG = np.random.default_rng(3)
X = RNG.normal(size=(90, 4)).astype(np.float32)
NETWORK = MLPClassifier((5,), solver="lbfgs", max_iter=20_000, random_state=0)
ESTIMATORS = {
    "network": (NETWORK, None),
    "network behind a scaler": (make_pipeline(StandardScaler(), NETWORK), None),
    "logistic regression": (LogisticRegression(), None),
    "logistic regression behind a scaler": (make_pipeline(StandardScaler(), LogisticRegression()), None),
    "forest": (RandomForestClassifier(5, max_depth=3, random_state=0), "TreeEnsembleClassifier"),
    "boosted trees": (GradientBoostingClassifier(n_estimators=3, random_state=0), "TreeEnsembleClassifier"),
}


@pytest.mark.parametrize("zipmap", [False, True], ids=["array", "zipmap"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_decides_as_in_scikit_learn(name: str, classes: int, zipmap: bool) -> None:
    estimator, without_gradients = ESTIMATORS[name]
    y = (np.abs(X[:, 0] + X[:, 1]) * 1.5).astype(int) % classes
    fitted = estimator.fit(X, y)
    data = to_onnx(fitted, X[:1], options={id(fitted): {"zipmap": zipmap}}).SerializeToString()

    found = inspect(data, preprocessing=None, device=DEVICE)
    assert (found.output.classes, found.output.kind, found.input.shape) == (classes, "probabilities", (4,))
    if without_gradients is None:
        assert found.offers == (Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS), found.withheld
    else:
        assert found.offers == (Access.LABELS, Access.SCORES)
        assert all(without_gradients in each.reason for each in found.withheld)
        assert [each.offer for each in found.withheld if each.by_kind] == [Access.GRADIENTS]

    network = read(check(data), None)
    session, rows = network.session(), RNG.normal(size=(50, 4)).astype(np.float32)
    expected = fitted.predict_proba(rows)
    answer = session.ask(rows, network.rebuilt.answer)
    np.testing.assert_allclose(answer, expected, atol=1e-5)
    scores = session.ask(rows, str(network.rebuilt.scores)).astype(np.float64)
    if without_gradients is None:  # logits: their soft-max is what scikit-learn says
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_linear_export_without_probabilities_keeps_its_gradients(classes: int) -> None:
    """Three classes: a bare LinearClassifier. Two: one column of it is cut out, and stays as it is."""
    y = (np.abs(X[:, 0] + X[:, 1]) * 1.5).astype(int) % classes
    fitted = LinearSVC().fit(X, y)
    found = inspect(to_onnx(fitted, X[:1]).SerializeToString(), preprocessing=None, device=DEVICE)
    assert (Access.BOUNDS in found.offers) == (Access.GRADIENTS in found.offers) == (classes == 3)


def test_named_classes_and_rows_of_other_numbers_are_left_as_they_are_or_decide_alike() -> None:
    """One row of coefficients for two classes is expanded by the operator itself: nothing is read into that."""
    coefficients = RNG.normal(size=4).astype(np.float32).tolist()
    for rows, labels, gradients in (
        (2, {"classlabels_strings": ["no", "yes"]}, True),
        (1, {"classlabels_ints": [0, 1]}, False),
    ):
        node = helper.make_node(
            "LinearClassifier", ["x"], ["label", "z"], domain="ai.onnx.ml", multi_class=0, post_transform="LOGISTIC",
            coefficients=(coefficients * rows), intercepts=[0.1] * rows, **labels,
        )  # fmt: skip
        data = graph([node], ["N", 4], [("z", TensorProto.FLOAT, ["N", 2])])
        found = inspect(data, preprocessing=None, device=DEVICE)
        assert (Access.GRADIENTS in found.offers) == gradients
