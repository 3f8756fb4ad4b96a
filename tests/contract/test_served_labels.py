"""Ordinary exports of scikit-learn, XGBoost and LightGBM are taken, and their labels are what the library predicts.

Scores, where they are offered, name the same class on every row, whatever order or threshold the file has them in.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxmltools
import pytest
import xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from skl2onnx import to_onnx
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, ExtraTreesClassifier, GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import SVC, LinearSVC, NuSVC
from sklearn.tree import DecisionTreeClassifier

from algorithms.errors import Refused
from algorithms.seam.access import Access
from models.cards import Inspection
from models.onnx.classifier import OnnxClassifier
from models.onnx.gate.check import check
from models.onnx.inspection import inspect
from models.onnx.network import read
from tests.devices import DEVICE

RNG = np.random.default_rng(3)
X, HELD_OUT = RNG.normal(size=(90, 4)).astype(np.float32), RNG.normal(size=(200, 4)).astype(np.float32)
NOISE = 0.2 * RNG.normal(size=90)
CUTS = {2: [0.3], 3: [-0.5, 0.5], 4: [-0.8, 0.0, 0.8]}
NAMES: dict[str, list[Any]] = {"numbers": [0, 1, 2, 3], "others": [7, -1, 3, 12], "texts": ["b", "no", "a", "ö"]}
LABELS, SCORES, GRADIENTS, BOUNDS = Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS


def kinds(classes: int, names: str = "numbers") -> np.ndarray:
    return np.asarray(NAMES[names])[np.digitize(X[:, 0] + 0.7 * X[:, 1] * X[:, 2] + NOISE, CUTS[classes])]


def held_against(fitted: Any, data: bytes) -> Inspection:
    """The card, after labels and scores were held against the library's own predictions."""
    found = inspect(data, preprocessing=None, device=DEVICE)
    model = OnnxClassifier(read(check(data), None), None, DEVICE)
    places = {name: place for place, name in enumerate(fitted.classes_)}
    expected = [places[name] for name in fitted.predict(HELD_OUT)]
    assert len(set(expected)) > 1
    assert model.classes == found.output.classes == len(places)
    np.testing.assert_array_equal(model.labels(HELD_OUT), expected)
    if Access.SCORES in found.offers:
        np.testing.assert_array_equal(model.scores(HELD_OUT).argmax(axis=1), expected)
    return found


def sklearn_export(estimator: Any, y: np.ndarray, **options: Any) -> tuple[Any, bytes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # scikit-learn's of its own `probability`
        fitted = estimator.fit(X, y)
        data = to_onnx(fitted, X[:1], options={id(fitted): options} if options else None).SerializeToString()
    return fitted, data


EXPANDED = (LABELS, SCORES, GRADIENTS, BOUNDS)
ESTIMATORS: dict[str, tuple[Callable[[], Any], tuple[Access, ...]]] = {
    "one-vs-rest": (lambda: OneVsRestClassifier(LogisticRegression()), (LABELS, SCORES)),
    "one-vs-one": (lambda: OneVsOneClassifier(LogisticRegression()), (LABELS, SCORES)),
    "discriminant": (LinearDiscriminantAnalysis, EXPANDED),
    "quadratic discriminant": (QuadraticDiscriminantAnalysis, (LABELS, SCORES, GRADIENTS)),
    "hinge loss": (lambda: SGDClassifier(random_state=0), EXPANDED),
    "logistic loss": (lambda: SGDClassifier(loss="log_loss", random_state=0), (LABELS, SCORES, GRADIENTS)),
    "normal distributions": (GaussianNB, (LABELS, SCORES, GRADIENTS)),
    "coins": (BernoulliNB, (LABELS, SCORES)),
    "a tree": (lambda: DecisionTreeClassifier(max_depth=4, random_state=0), (LABELS, SCORES)),
    "extra trees": (lambda: ExtraTreesClassifier(5, max_depth=4, random_state=0), (LABELS, SCORES)),
    "adaboost": (lambda: AdaBoostClassifier(n_estimators=5, random_state=0), (LABELS, SCORES)),
    "bagged trees": (lambda: BaggingClassifier(DecisionTreeClassifier(max_depth=3), 4), (LABELS, SCORES)),
    "calibrated": (lambda: CalibratedClassifierCV(LinearSVC(random_state=0), cv=2), (LABELS, SCORES)),
    "products of features": (lambda: make_pipeline(PolynomialFeatures(2), LogisticRegression()), (LABELS, SCORES)),
}


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_is_judged_by_what_it_predicts(name: str, classes: int) -> None:
    make, offers = ESTIMATORS[name]
    found = held_against(*sklearn_export(make(), kinds(classes)))
    assert set(offers) <= set(found.offers), found.withheld
    assert found.label_output_differs is False


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("estimator", [LogisticRegression(), SVC(), DecisionTreeClassifier(max_depth=4)], ids=str)
def test_classes_of_any_name_are_numbered_in_the_librarys_order(estimator: Any, names: str) -> None:
    held_against(*sklearn_export(estimator, kinds(3, names), zipmap=False))


MACHINES: dict[str, Callable[[], Any]] = {
    "as it is by default": SVC,
    "a straight line": lambda: SVC(kernel="linear"),
    "behind a scaler": lambda: make_pipeline(StandardScaler(), SVC()),
    "with nu": lambda: NuSVC(nu=0.2),
    "duels": lambda: SVC(decision_function_shape="ovo"),
    "Platt's probabilities": lambda: SVC(probability=True, random_state=0),
}


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("name", MACHINES)
def test_a_support_vector_machine_is_judged_by_its_votes(name: str, classes: int) -> None:
    """Two classes: decision values in the other order. More: scores that part from votes, or K (K - 1) / 2 duels."""
    found = held_against(*sklearn_export(MACHINES[name](), kinds(classes)))
    assert (found.reads.output, found.reads.as_) == ("output_label", "label")
    assert BOUNDS not in found.offers
    if classes == 2:
        assert found.label_output_differs
        assert SCORES in found.offers
    if name == "duels" and classes > 2:
        assert found.label_output_differs
        assert found.offers == (LABELS,)


def test_a_support_vector_machine_as_by_default_has_the_accuracy_that_scikit_learn_says() -> None:
    y = (X[:, 0] + 0.6 * X[:, 1] + 4 * NOISE > 0.9).astype(int)
    fitted, data = sklearn_export(SVC(), y, zipmap=False)
    model = OnnxClassifier(read(check(data), None), None, DEVICE)
    assert (model.labels(X) == y).mean() == fitted.score(X, y) > 0.8


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(
    ("estimator", "options"),
    [
        (LogisticRegression(), {"raw_scores": True}),
        (LogisticRegression(), {"zipmap": "columns"}),
        (SVC(), {"raw_scores": True}),
        (RidgeClassifier(), {}),
        (LinearSVC(random_state=0), {}),
        (GradientBoostingClassifier(n_estimators=4, random_state=0), {"raw_scores": True}),
    ],
    ids=str,
)
def test_other_ways_of_writing_scores_change_no_label(estimator: Any, options: dict[str, Any], classes: int) -> None:
    held_against(*sklearn_export(estimator, kinds(classes), **options))


def test_nearest_neighbors_are_refused_as_a_loop() -> None:
    _, data = sklearn_export(KNeighborsClassifier(3), kinds(2))
    with pytest.raises(Refused) as refused:
        inspect(data, preprocessing=None, device=DEVICE)
    assert refused.value.code == "op_not_supported"


def xgboost_export(classes: int, **params: Any) -> tuple[Any, bytes]:
    fitted = xgboost.XGBClassifier(n_estimators=5, max_depth=3, n_jobs=1, **params).fit(X, kinds(classes))
    return fitted, boosted(onnxmltools.convert_xgboost, fitted)


def lightgbm_export(classes: int, names: str = "numbers", **options: Any) -> tuple[Any, bytes]:
    try:
        import lightgbm
    except OSError:
        pytest.skip("LightGBM's wheel needs libgomp1 of the operating system, which is not installed.")
    fitted = lightgbm.LGBMClassifier(n_estimators=5, max_depth=3, min_child_samples=4, n_jobs=1, verbose=-1)
    fitted.fit(X, kinds(classes, names))
    return fitted, boosted(onnxmltools.convert_lightgbm, fitted, **options)


def boosted(convert: Callable[..., onnx.ModelProto], fitted: Any, **options: Any) -> bytes:
    inputs = [("x", FloatTensorType([None, 4]))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the converter's of itself
        return convert(fitted, initial_types=inputs, target_opset=15, **options).SerializeToString()


def needs(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.system] if name.startswith("lightgbm") else []


BOOSTED = {
    "xgboost, two": lambda: xgboost_export(2),
    "xgboost, three": lambda: xgboost_export(3),
    "xgboost, mostly yes": lambda: xgboost_export(2, base_score=0.7),
    "xgboost, one side or the other": lambda: xgboost_export(2, objective="binary:hinge"),
    "xgboost, sums": lambda: xgboost_export(3, objective="multi:softmax"),
    **{
        f"lightgbm, {k} {names}{'' if zipmap else ', array'}": lambda k=k, names=names, zipmap=zipmap: lightgbm_export(
            k, names, zipmap=zipmap
        )
        for k in (2, 3)
        for names in NAMES
        for zipmap in (True, False)
    },
}


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(name)) for name in BOOSTED])
def test_boosted_trees_are_judged_by_what_they_predict(name: str) -> None:
    found = held_against(*BOOSTED[name]())
    assert found.offers == (LABELS, SCORES)
    assert "TreeEnsembleClassifier" in found.withheld[0].reason
