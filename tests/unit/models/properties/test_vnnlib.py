"""VNN-LIB is read as it is written, and what is not it, or grows without end, is refused in words."""

from contextlib import suppress

import numpy as np
import pytest

from algorithms.errors import Refused
from models.properties.vnnlib import ALTERNATIVES, read_property

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


NETWORK = """
(vnnlib-version <2.0>)
(declare-network f
  (declare-input image float32 [1, 2])
  (declare-output scores Real [3]))
"""
BOUNDED = """
(assert (and (>= image[0, 0] 0.0) (<= image[0,0] 1.0)))
(assert (and (>= image [0,1] 0.0) (< image[0,1] 1.0)))
"""


def test_version_2_names_the_numbers_by_what_it_declares() -> None:
    (case,) = read_property(NETWORK + BOUNDED + "(assert (< scores[0] (* scores[2] 2.0)))", 2, 3)
    assert (case.lower.tolist(), case.upper.tolist()) == ([0.0, 0.0], [1.0, float(np.nextafter(1.0, 0.0))])
    (part,) = case.parts
    assert (part.matrix.tolist(), part.limits.tolist(), part.strict.tolist()) == ([[1.0, 0.0, -2.0]], [0.0], [True])


def test_equal_is_both_and_unequal_is_either() -> None:
    (case,) = read_property(NETWORK + BOUNDED + "(assert (!= scores[1] 2.0)) (assert (== scores[0] 1.0))", 2, 3)
    assert [(part.limits.tolist(), part.strict.tolist()) for part in case.parts] == [
        ([1.0, -1.0, 2.0], [False, False, True]),
        ([1.0, -1.0, -2.0], [False, False, True]),
    ]


def test_what_is_strict_is_not_met_by_what_is_equal() -> None:
    (case,) = read_property(BOX + "(assert (< Y_0 2))", 2, 1)
    (part,) = case.parts
    assert (part.excess(np.array([[1.5], [2.0], [2.5]])) <= 0).tolist() == [True, False, False]


def test_many_conditions_are_read_in_one_walk() -> None:
    bounds = "".join(f"(assert (<= X_{i} 1))(assert (>= X_{i} 0))" for i in range(10_000))
    (case,) = read_property(bounds + "(assert (or (<= Y_0 0) (>= Y_0 1)))", 10_000, 1)
    assert len(case.lower) == 10_000 and len(case.parts) == 2


def test_a_sum_of_many_and_a_product_of_many_are_read_in_one_walk() -> None:
    many = " ".join(f"X_{i}" for i in range(20_000)) + " Y_0" * 20_000
    with pytest.raises(Refused, match="an input and something else"):
        read_property(f"(assert (<= (* (+ {many}) {'1 ' * 20_000}) 0))", 20_000, 1)


REFUSED = {
    "line 7: not all of the model's 3 inputs": (BOX + "(assert (>= Y_0 0))", 3, 1),
    "'Y_7' in line 8 does not fit, for the model gives out 2": (BOX + "\n(assert (>= Y_7 0))", 2, 2),
    "'X_1' in line 6 does not fit, for the model takes 1": (BOX + "(assert (>= Y_0 0))", 1, 1),
    "an input and something else": (BOX + "(assert (<= X_0 X_1)) (assert (>= Y_0 0))", 2, 1),
    "without a condition on outputs": (BOX, 2, 1),
    "(not ...) is none of and, or": (BOX + "(assert (not (>= Y_0 0)))", 2, 1),
    "(<= ...) is none of and, or": (BOX + "(assert (<= 0 Y_0 1))", 2, 1),
    "not closed": ("(assert (>= Y_0 0)", 1, 1),
    "'sat' stands outside of all statements": ("sat", 1, 1),
    "nested more than 32 deep": ("(" * 100_000, 1, 1),
    "'1e999' is neither a finite number": (BOX + "(assert (>= Y_0 1e999))", 2, 1),
    "'nan' is neither a finite number": (BOX + "(assert (>= Y_0 nan))", 2, 1),
    "beyond what is finite": (BOX + "(assert (>= (* 1e308 10 Y_0) 0))", 2, 1),
    "more than 4,096 alternatives": (BOX + "(assert (or (>= Y_0 0) (<= Y_0 1)))" * 13, 2, 1),
    "(check-sat ...) is no statement": ("(check-sat)", 1, 1),
    "'input' is declared": ("(declare-const input Real)", 1, 1),
    "more than 8,388,608 characters": (" " * (2**23 + 1), 1, 1),
    "more than 1,048,576 words": ("(" + "a " * 2**20, 1, 1),
    "two variables are multiplied": (BOX + "(assert (>= (* Y_0 Y_0) 0))", 2, 1),
    "(/ ...) is no sum": (BOX + "(assert (>= (/ Y_0 2) 0))", 2, 1),
    "(vnnlib-version ...) is no statement": ("(vnnlib-version <3.0>)", 1, 1),
    "'image' in line 4 does not fit": (NETWORK, 5, 3),
    "'scores' in line 5 does not fit": (NETWORK, 2, 2),
    "'scores' has no place [3]": (NETWORK + "(assert (<= scores[3] 0.0))", 2, 3),
    "'image' has no place [0]": (NETWORK + "(assert (<= image[0] 0.0))", 2, 3),
    "'Y_0' is neither a finite number nor a variable": (NETWORK + "(assert (<= Y_0 0.0))", 2, 3),
    "a second network": (NETWORK + NETWORK, 2, 3),
    "one input and one output": ("(declare-network f (declare-input x float32 [1]))", 1, 1),
    "'float16' is the type": (NETWORK.replace("Real", "float16"), 2, 3),
    "none of (declare-input ...)": ("(declare-network f (declare-hidden x float32 [1]))", 1, 1),
    "no list of whole numbers": (NETWORK + "(assert (<= scores[x] 0.0))", 2, 3),
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_cannot_be_read_is_refused_in_words(words: str) -> None:
    with pytest.raises(Refused) as caught:
        read_property(*REFUSED[words])
    assert words in caught.value.detail
    assert caught.value.code == ("shape_mismatch" if "does not fit" in words else "invalid_request")


@pytest.mark.parametrize("seed", range(20))
def test_a_text_that_was_cut_and_mixed_is_read_or_refused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole = NETWORK + BOUNDED + "(assert (or (and (< scores[0] 1.5) (!= scores[1] -2)) (>= (+ scores[2] 1) 1e-3)))"
    for _ in range(50):
        start, end = sorted(rng.integers(0, len(whole), 2))
        at = int(rng.integers(0, len(whole)))
        with suppress(Refused):  # and nothing else
            read_property(whole[:at] + whole[start:end] + whole[at:], 2, 3)


def test_as_many_alternatives_as_are_allowed_are_read() -> None:
    (case,) = read_property(BOX + "(assert (or (>= Y_0 0) (<= Y_0 1)))" * 12, 2, 1)
    assert len(case.parts) == ALTERNATIVES
