"""A label is held against scores: what differs is told from a tie, and explained where it can be."""

import numpy as np
import pytest

from models.onnx.outputs.holding import Order, Threshold, differing, explain
from models.onnx.outputs.looking import Looked, look
from tests.exports import Array

RNG = np.random.default_rng(4)
SCORES = RNG.normal(size=(300, 3)).astype(np.float32)
TWO = SCORES[:, :2]
BEST = SCORES.argmax(axis=1)
AHEAD = TWO[:, 1] - TWO[:, 0]


def test_the_largest_score_is_no_difference_and_neither_is_a_tie() -> None:
    scores = SCORES.copy()
    scores[:50] = scores[:50].max(axis=1, keepdims=True)  # all three equal: whatever label is one of the largest
    assert not differing(Looked(BEST, scores)).any()


def test_what_all_scores_have_in_common_hides_no_difference_of_float64() -> None:
    far = 1e7 + SCORES.astype(np.float64)
    assert not differing(Looked(BEST, far)).any()
    assert differing(Looked(SCORES.argmin(axis=1), far)).all()


def test_a_row_without_finite_scores_tells_nothing() -> None:
    scores = SCORES.copy()
    scores[:10, 0], scores[10:20, 1] = np.nan, np.inf
    assert not differing(Looked(np.full(300, 2), scores))[:20].any()


@pytest.mark.parametrize("columns", [(1, 0, 2), (2, 0, 1)])
def test_another_order_of_columns_is_found_where_every_class_is_seen(columns: tuple[int, ...]) -> None:
    labels = SCORES[:, columns].argmax(axis=1)
    assert differing(Looked(labels, SCORES)).any()
    assert explain(Looked(labels, SCORES)) == (Order(columns),)
    two_of_three = labels < 2
    assert explain(Looked(labels[two_of_three], SCORES[two_of_three])) is None


@pytest.mark.parametrize("limit", [-0.6, 0.1, 1.1])
def test_a_threshold_of_two_classes_is_found_on_either_side(limit: float) -> None:
    for labels, turned in (((AHEAD > limit).astype(int), False), ((AHEAD < -limit).astype(int), True)):
        found = explain(Looked(labels, TWO))
        assert found is not None
        threshold = found[-1]
        assert isinstance(threshold, Threshold)
        assert abs(threshold.ahead - limit) < 0.1
        assert (found[0] == Order((1, 0))) is turned


def test_what_neither_explains_is_not_explained() -> None:
    assert explain(Looked((np.abs(AHEAD) > 0.5).astype(int), TWO)) is None
    labels = BEST.copy()
    labels[7] = (labels[7] + 1) % 3
    assert explain(Looked(labels, SCORES)) is None


@pytest.mark.parametrize("limit", [0.501, 0.52, 0.99])
def test_rows_are_found_on_both_sides_of_a_threshold(limit: float) -> None:
    """The sigmoid of a sum: between 16 rows of two labels, rows within 1e-5 of the threshold."""

    def ask(rows: Array) -> tuple[Array, Array]:
        p = 1 / (1 + np.exp(-rows.sum(axis=1, dtype=np.float64)))
        return (p > limit).astype(int), np.stack([1 - p, p], axis=1)

    looked = look(ask, [5 * RNG.normal(size=(16, 4)).astype(np.float32)])
    near = np.abs(looked.scores[:, 1] - limit) < 1e-5
    assert set(looked.labels[near]) == {0, 1}
    assert differing(looked).any()
    (found,) = explain(looked) or ()
    assert isinstance(found, Threshold)
    assert found.ahead == pytest.approx(2 * limit - 1, abs=1e-4)
