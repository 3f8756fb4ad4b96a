"""Scores are lifted to the label that is served, and no farther."""

import numpy as np
import pytest

from models.lifting import lifted

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lifted_scores_name_the_label_by_the_least_margin_and_leave_the_rest_alone(dtype: type) -> None:
    given = RNG.normal(size=(300, 3)).astype(dtype)
    labels = given.argmax(axis=1)
    labels[::5] = (labels[::5] + 1) % 3
    labels[1], labels[2] = -1, 3  # no class, and one that has no score
    scores = lifted(given, labels)
    assert scores.dtype == dtype
    assert np.isnan(scores[1]).all()
    parted = np.arange(300) % 5 == 0
    left = ~parted & (labels >= 0)
    np.testing.assert_array_equal(scores[left], given[left])
    np.testing.assert_array_equal(scores[parted].argmax(axis=1), labels[parted])
    top = np.sort(scores[parted], axis=1)
    np.testing.assert_array_equal(top[:, 2], np.nextafter(top[:, 1], dtype(np.inf)))
