"""scikit-learn's exports, whatever of them is kept, name their classes as the estimator does, column by column."""

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from models.onnx.inspection import inspect
from models.onnx.opening import open_model
from tests.jobs_for_tests import model_card

RNG = np.random.default_rng(13)
X = RNG.normal(size=(120, 4)).astype(np.float32)
COLUMNS = (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 0.6)
NAMES = {"from one": [1, 2, 3], "signs": [-1, 1], "words": ["ash", "beech", "zelkova"]}
ESTIMATORS = [
    LogisticRegression(),
    DecisionTreeClassifier(max_depth=3, random_state=0),
    MLPClassifier((4,), solver="lbfgs", max_iter=5000, random_state=0),
]


@pytest.mark.parametrize("kept", ["label and scores", "label and dictionaries", "label", "scores"])
@pytest.mark.parametrize("named", NAMES)
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_a_column_is_called_as_the_estimator_calls_its_class(estimator, named: str, kept: str) -> None:
    names = np.array(NAMES[named])
    fitted = estimator.fit(X, names[COLUMNS % len(names)])
    model = to_onnx(fitted, X[:1], options={id(fitted): {"zipmap": kept == "label and dictionaries"}})
    if kept in ("label", "scores"):
        del model.graph.output[0 if kept == "scores" else 1]
    data = model.SerializeToString()
    found = inspect(data, preprocessing=None, device="cpu")
    says_nothing = kept == "scores" and isinstance(estimator, MLPClassifier)  # its scores come from plain operators
    assert found.classes_named == (None if says_nothing else tuple(map(str, names)))
    opened = open_model(model_card().inspected(found), data, device="cpu")
    rows = RNG.normal(size=(40, 4)).astype(np.float32)
    assert names[opened.labels(rows)].tolist() == fitted.predict(rows).tolist()
