import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from algorithms.driver.beat import ask
from algorithms.seam.access import Access
from algorithms.seam.questions.neighbors import Neighbors
from algorithms.seam.questions.scores import AskScores
from models.neighbors.classifier import MORE, NeighborClassifier


def digits(k: int, factor: np.ndarray | None = None) -> tuple[NeighborClassifier, np.ndarray]:
    x, y = load_digits(return_X_y=True)
    x = x / 16
    return NeighborClassifier(Neighbors(x[:1500], y[:1500].astype(np.int64), k, factor), (64,)), x[1500:]


@pytest.mark.parametrize("k", [1, 4, 5])
def test_it_answers_as_scikit_learn_does(k):
    model, rows = digits(k)
    peer = KNeighborsClassifier(k, algorithm="brute").fit(model.neighbors().x, model.neighbors().y)
    noisy = rows + np.random.default_rng(0).normal(size=rows.shape) / 4  # no two distances are equal
    rows32 = noisy.astype(np.float32)
    assert (model.labels(rows32) == peer.predict(rows32.astype(np.float64))).all()


def test_a_metric_measures():
    g = np.random.default_rng(1).normal(size=(10, 64))
    model, rows = digits(3, g)
    peer = KNeighborsClassifier(3, algorithm="brute").fit(model.neighbors().x @ g.T, model.neighbors().y)
    rows32 = rows.astype(np.float32)
    assert (model.labels(rows32) == peer.predict(rows32.astype(np.float64) @ g.T)).mean() > 0.99


@pytest.mark.parametrize("factor", [None, np.random.default_rng(1).normal(size=(33, 64))], ids=["euclidean", "metric"])
def test_a_label_does_not_depend_on_its_company(factor):
    """The rows are many, and half of them lie between two points, where one rounding decides."""
    model, rows = digits(1, factor)
    between = (model.neighbors().x[:150] + model.neighbors().x[150:300]) / 2
    rows = np.concatenate([rows[:150], between]).astype(np.float32)
    together = model.labels(rows)
    assert (together == np.concatenate([model.labels(rows[i : i + 1]) for i in range(300)])).all()
    assert (together == np.concatenate([model.labels(rows[i : i + 7]) for i in range(0, 300, 7)])).all()


def test_of_points_equally_near_the_first_in_the_upload_is_nearer():
    x = np.array([[1.0], [-1.0], [1.0], [5.0]])
    row = np.zeros((1, 1), np.float32)
    for y in ([2, 0, 1, 1], [0, 2, 1, 1]):
        model = NeighborClassifier(Neighbors(x, np.array(y), 1), (1,))
        assert model.labels(row) == y[0]


def test_of_classes_with_equal_votes_the_smallest_label_wins():
    x = np.array([[1.0], [2.0], [3.0], [9.0]])
    model = NeighborClassifier(Neighbors(x, np.array([3, 1, 2, 0]), 3), (1,))
    assert model.labels(np.zeros((1, 1), np.float32)) == 1
    assert model.classes == 4


def test_more_points_at_one_place_than_candidates_are_still_all_measured():
    x = np.repeat([[0.0], [1.0]], 3 * MORE, axis=0)
    y = np.repeat([1, 0], 3 * MORE)
    y[0] = 0  # the first of those at 0, and so the nearest
    model = NeighborClassifier(Neighbors(x, y, 1), (1,))
    assert model.labels(np.float32([[0.1], [0.4], [0.9]])).tolist() == [0, 0, 0]


def test_rows_keep_the_shape_of_the_upload():
    x, y = np.random.default_rng(0).uniform(size=(20, 12)), np.arange(20) % 2
    model = NeighborClassifier(Neighbors(x, y, 3), (3, 2, 2))
    flat = NeighborClassifier(model.neighbors(), (12,))
    rows = x.astype(np.float32)
    assert (model.labels(rows.reshape(-1, 3, 2, 2)) == flat.labels(rows)).all()


def test_it_offers_labels_and_neighbors_and_nothing_else():
    model, rows = digits(1)
    assert model.offers == {Access.LABELS: model, Access.NEIGHBOURS: model}
    with pytest.raises(KeyError):
        ask(model, AskScores(rows))
