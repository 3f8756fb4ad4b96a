"""Classes that have names, from the file to the finding: through the front door, scikit-learn's own accuracy comes out.

The tables are labelled as people label them: from 1, by signs, by words.
"""

from pathlib import Path

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from brinell.client import Client
from brinell.errors import BrinellError
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(11)
X = RNG.normal(size=(200, 4)).astype(np.float32)
COLUMNS = (X[:, 0] + X[:, 1] > 0).astype(int) + (X[:, 2] > 0.6)
LABELS = {
    "from one": np.array([1, 2, 3])[COLUMNS],
    "signs": np.array([-1, 1])[COLUMNS % 2],
    "words": np.array(["ash", "beech", "cedar"])[COLUMNS],
}


@pytest.fixture(scope="module")
def client(installation):
    with installation.client() as caller:
        yield caller


def findings(client: Client, folder: Path, model: dict, y: np.ndarray, rows: np.ndarray) -> tuple[dict, list[dict]]:
    np.savez(folder / "samples.npz", x=X[rows], y=y)
    samples = client.upload_samples(folder / "samples.npz")
    asked = {"model_id": model["id"], "samples_id": samples["id"], "method": {"name": "noise"}, "threat": {"box": None}}
    job = client.wait_for_job(client.create_job(asked)["id"], timeout_seconds=PATIENCE_SECONDS)
    assert job["state"] == "succeeded", job["error"]
    return job, list(client.findings(job["id"]))


def uploaded(client: Client, folder: Path, estimator, **options) -> dict:
    data = to_onnx(estimator, X[:1], options={id(estimator): options}).SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    return client.upload_model(folder / "model.onnx", timeout_seconds=PATIENCE_SECONDS)


LINEAR, TREE = LogisticRegression(C=100), DecisionTreeClassifier(max_depth=3, random_state=0)


@pytest.mark.parametrize(("estimator", "named"), [(LINEAR, "from one"), (TREE, "signs"), (LINEAR, "words")])
def test_samples_labelled_as_the_model_was_trained_are_read_so(client, tmp_path, named, estimator):
    y = LABELS[named]
    fitted = estimator.fit(X, y)
    model = uploaded(client, tmp_path, fitted, zipmap=named == "words")
    assert model["classes_named"] == [str(name) for name in fitted.classes_]
    few = np.flatnonzero(np.isin(y, fitted.classes_[:2]))[:40]  # of the first two classes alone
    for rows in (np.arange(40), few):
        job, found = findings(client, tmp_path, model, y[rows], rows)
        assert job["summary"]["clean_accuracy"]["value"] == pytest.approx(fitted.score(X[rows], y[rows]))
        assert [fitted.classes_[one["label"]] for one in found] == y[rows].tolist()
        assert [fitted.classes_[one["predicted"]] for one in found] == fitted.predict(X[rows]).tolist()


def test_numbers_of_columns_are_refused_where_the_classes_have_other_numbers(client, tmp_path):
    model = uploaded(client, tmp_path, LogisticRegression().fit(X, LABELS["from one"]), zipmap=False)
    with pytest.raises(BrinellError, match="column 0 is class 1") as error:
        findings(client, tmp_path, model, COLUMNS[:40], np.arange(40))
    assert error.value.code == "label_out_of_range"
