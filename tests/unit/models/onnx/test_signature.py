"""What several numbers a row are, by what was answered alone."""

import numpy as np
import pytest

from models.onnx.signature import many_classes

SOFT = np.array([[0.2, 0.8], [0.9, 0.1]], np.float32)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (SOFT, "probabilities"),
        (SOFT - 1, "logits"),
        (SOFT * 2, "logits"),
        (np.tile(np.array([[1, 0]], np.float32), (9, 1)), "logits"),  # a constant model: it may mean anything
    ],
)
def test_rows_that_sum_to_one_are_probabilities_unless_they_are_all_the_same(answer: np.ndarray, kind: str) -> None:
    assert many_classes(answer) == kind
