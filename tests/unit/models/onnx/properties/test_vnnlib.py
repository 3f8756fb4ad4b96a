"""VNN-LIB is read as it is written, and what is not it, or grows without end, is refused in words."""

import numpy as np
import pytest

from algorithms.errors import Refused
from models.onnx.properties.vnnlib import ALTERNATIVES, read_property

BOX = """
; a comment (with parentheses
(declare-const X_0 Real)
(declare-const Y_0 Real)
(assert (<= X_0 0.5)) (assert (>= X_0 -.25))
(assert (<= 1e-1 X_1)) (assert (<= X_1 2))
"""


def test_bounds_of_inputs_are_a_box_and_a_condition_a_row() -> None:
    (case,) = read_property(BOX + "(assert (>= Y_0 1.5))", 2, 2)
    assert (case.lower.tolist(), case.upper.tolist()) == ([-0.25, 0.1], [0.5, 2.0])
    (part,) = case.parts
    assert (part.matrix.tolist(), part.limits.tolist()) == ([[-1.0, 0.0]], [-1.5])


def test_sums_have_all_variables_on_one_side() -> None:
    (case,) = read_property(BOX + "(assert (<= (+ (* 2 Y_0) (- Y_1 3)) (- (* -1.5 Y_1) 1)))", 2, 2)
    (part,) = case.parts
    assert (part.matrix.tolist(), part.limits.tolist()) == ([[2.0, 2.5]], [2.0])


def test_alternatives_on_outputs_are_parts_of_one_case() -> None:
    (case,) = read_property(BOX + "(assert (or (and (<= Y_0 Y_1) (<= Y_0 0)) (>= Y_0 3)))", 2, 2)
    assert [len(part.limits) for part in case.parts] == [2, 1]
    assert case.parts[0].excess(np.array([[-1.0, 0.0], [1.0, 0.0]])).tolist() == [-1.0, 1.0]


def test_alternatives_on_inputs_are_cases_and_an_empty_box_is_none() -> None:
    text = "(assert (or (and (>= X_0 0) (<= X_0 1) (>= Y_0 0)) (and (>= X_0 2) (<= X_0 1) (>= Y_0 0))))"
    (case,) = read_property(text, 1, 1)
    assert (case.lower.tolist(), case.upper.tolist()) == ([0.0], [1.0])
    both = "(assert (or (and (>= X_0 0) (<= X_0 1)) (and (>= X_0 2) (<= X_0 3)))) (assert (>= Y_0 0))"
    assert [case.upper.tolist() for case in read_property(both, 1, 1)] == [[1.0], [3.0]]


REFUSED = {
    "not all of the model's 3 inputs": (BOX + "(assert (>= Y_0 0))", 3, 1),
    "an output that the model has not": (BOX + "(assert (>= Y_7 0))", 2, 2),
    "no bound of one": (BOX + "(assert (<= X_0 X_1)) (assert (>= Y_0 0))", 2, 1),
    "no condition on outputs": (BOX, 2, 1),
    "none of and, or": (BOX + "(assert (not (>= Y_0 0)))", 2, 1),
    "not closed": ("(assert (>= Y_0 0)", 1, 1),
    "outside of all statements": ("sat", 1, 1),
    "nested more than": ("(" * 100_000, 1, 1),
    "neither a finite number": (BOX + "(assert (>= Y_0 1e999))", 2, 1),
    "neither a finite number nor": (BOX + "(assert (>= Y_0 nan))", 2, 1),
    "more than 4,096 alternatives": (BOX + "(assert (or (>= Y_0 0) (<= Y_0 1)))" * 13, 2, 1),
    "is neither (declare-const": ("(check-sat)", 1, 1),
    "a name is none of": ("(declare-const input Real)", 1, 1),
    "longer than": (" " * (2**23 + 1), 1, 1),
    "a sum is made of": (BOX + "(assert (>= (* Y_0 Y_0) 0))", 2, 1),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_read_is_refused_in_words(words: str) -> None:
    with pytest.raises(Refused) as caught:
        read_property(*REFUSED[words])
    if words != "a sum is made of":
        assert words in caught.value.detail
    assert caught.value.code == "property_invalid"


def test_as_many_alternatives_as_are_allowed_are_read() -> None:
    (case,) = read_property(BOX + "(assert (or (>= Y_0 0) (<= Y_0 1)))" * 12, 2, 1)
    assert len(case.parts) == ALTERNATIVES
