"""Labels as files give them out become numbers of classes, and what is none of them is no class."""

import numpy as np

from algorithms.seam.labeling import NO_CLASS
from models.onnx.outputs.numbering import numbered


def test_a_negative_label_is_none() -> None:
    given = np.array([[3], [-1], [np.iinfo(np.int64).min], [0]])
    assert numbered(given, None).tolist() == [3, NO_CLASS, NO_CLASS, 0]


def test_names_are_numbered_by_their_place_and_what_is_on_no_list_is_none() -> None:
    assert numbered(np.array(["b", "c", "a"]), ("b", "a")).tolist() == [0, NO_CLASS, 1]
    assert numbered(np.array([7, 5, 6]), (5, 7)).tolist() == [1, 0, NO_CLASS]
