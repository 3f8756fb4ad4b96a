"""Strict where servers are lax: NaN, text, other shapes, deep nesting, numbers too large."""

import json
import re

import numpy as np
import pytest

from algorithms.errors import ModelFault
from models.class_names import NamedClasses
from models.endpoints import _reading as reading


def refuses(call, *asked):
    with pytest.raises(ModelFault) as fault:
        call(*asked)
    assert fault.value.code == "endpoint_bad_response"
    return fault.value.detail


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>it works</html>",
        b"[1, NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1,]",
        b"{'a': 1}",
        b"[1] [2]",
        b"\xff\xfe[1]",
        b"[" * 40 + b"]" * 40,
        b"[" * 100_000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b"1" * 10_000,
    ],
)
def test_what_is_no_strict_json_is_a_bad_response(body):
    refuses(reading.read, body)


def test_what_an_endpoint_wrote_is_never_repeated():
    assert "canary" not in refuses(reading.read, b'{"canary": canary}')


def test_nesting_is_allowed_to_a_depth_of_32():
    assert reading.read(b"[" * 32 + b"]" * 32)
    refuses(reading.read, b"[" * 33 + b"]" * 33)


@pytest.mark.parametrize("tree", [[[1, 2.5, -3], [0, 1e-3, 7]], [1, 2.5, -3, 0, 1e-3, 7]])
def test_scores_are_rows_of_numbers_or_all_in_one_list(tree):
    found = reading.scores(tree, 2, 3, "logits")
    assert found.dtype == np.float32
    assert found.tolist() == [[1, 2.5, -3], [0, np.float32(1e-3), 7]]


@pytest.mark.parametrize(
    "tree",
    [
        None,
        7,
        "scores",
        {},
        [],
        [[1, 2, 3]],
        [[1, 2], [3, 4], [5, 6]],
        [[1, 2, 3], [4, 5]],
        [[1, 2, 3], [4, 5, None]],
        [[1, 2, 3], [4, 5, "6"]],
        [[1, 2, 3], [4, 5, True]],
        [[1, 2, 3], [4, 5, [6]]],
        [[1, 2, 3], [4, 5, {}]],
        [[[1], [2], [3]], [[4], [5], [6]]],
        [1, 2, 3, 4, 5],
        [1, 2, 3, 4, 5, 6, 7],
        [[1, 2, 3], [4, 5, 1e39]],
        [[1, 2, 3], [4, 5, 10**400]],
        [[1, 2, 3], [4, 5, float("inf")]],
        [[1, 2, 3], [4, 5, float("nan")]],
    ],
)
def test_anything_else_is_no_answer_to_two_rows_of_three_classes(tree):
    refuses(reading.scores, tree, 2, 3, "logits")


@pytest.mark.parametrize("tree", [[0.25, 3], [[0.25], [3]]])
def test_of_two_classes_one_number_a_row_will_do(tree):
    assert reading.scores(tree, 2, 2, "logits").tolist() == [[0, 0.25], [0, 3]]


def test_the_largest_is_that_of_the_numbers_as_they_were_written():
    """In float32 both rows are a tie, which the first class wins."""
    for tree in ([[1e7, 1e7 + 0.25], [1e7 + 0.25, 1e7]], [1e7, 1e7 + 0.25, 1e7 + 0.25, 1e7]):
        assert reading.scores(tree, 2, 2, "logits").argmax(axis=1).tolist() == [1, 0]
    assert reading.scores([0.5 + 1e-9, 0.5, 0.5 - 1e-9], 3, 2, "probabilities").argmax(axis=1).tolist() == [1, 0, 0]
    assert reading.scores([1e-60, 0.0, -1e-60], 3, 2, "logits").argmax(axis=1).tolist() == [1, 0, 0]


def test_one_probability_has_the_decimals_of_the_other():
    found = reading.scores([0.37, 0.0], 2, 2, "probabilities")
    assert found.tolist() == np.float32([[0.63, 0.37], [1, 0]]).tolist()


@pytest.mark.parametrize(("tree", "classes"), [([1, 2, 3], 2), ([[1, 2]], 2), ([[[1]], [[2]]], 2), ([1, 2], 3)])
def test_one_number_a_row_is_no_answer_of_another_count(tree, classes):
    refuses(reading.scores, tree, 2, classes, "logits")


THREE = NamedClasses(3, None)


@pytest.mark.parametrize("tree", [[0, 2], [[0], [2]], [0.0, 2.0]])
def test_labels_are_integers_that_the_classes_have(tree):
    assert reading.labels(tree, 2, THREE).tolist() == [0, 2]


@pytest.mark.parametrize("tree", [[0, 3], [0, -1], [0, 1.5], [0], [0, "2"], [0, True], [[0, 2]], [0, 10**30]])
def test_anything_else_is_no_label(tree):
    refuses(reading.labels, tree, 2, THREE)


@pytest.mark.parametrize(
    ("names", "tree"),
    [
        (("cat", "dog", "emu"), ["cat", "emu"]),
        (("cat", "dog", "emu"), [["cat"], ["emu"]]),
        (("cat", "dog", "emu"), [0, 2]),
        (("1", "2", "3"), [1, 3]),
        (("1", "2", "3"), [1.0, 3.0]),
        (("1", "2", "3"), ["1", "3"]),
    ],
)
def test_labels_may_go_by_the_names_of_the_classes(names, tree):
    assert reading.labels(tree, 2, NamedClasses(3, names)).tolist() == [0, 2]


@pytest.mark.parametrize(
    ("names", "tree", "told"),
    [
        (None, ["cat", "emu"], "register it with output.classes as the list of their names"),
        (("cat", "dog", "emu"), ["cat", "canary"], "none of the names in output.classes"),
        (("cat", "dog", "emu"), [0, 3], "none of its classes, 0 to 2"),
        (("1", "2", "3"), [0, 1], r"none of its classes, 1, 2, 3 \(column 0 is class 1\)"),
        (None, [{"label": 1}, {"label": 2}], "objects where numbers are wanted"),
    ],
)
def test_a_label_that_is_no_class_is_told_as_such(names, tree, told):
    detail = refuses(reading.labels, tree, 2, NamedClasses(3, names))
    assert re.search(told, detail) and "canary" not in detail


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        ([["0.1", "0.2", "0.7"]] * 2, r"text where numbers are wanted; .* \(0\.5, not \"0\.5\"\)"),
        (["cat", "dog"], "output.kind labels, and output.classes as the list of names"),
        ([{"cat": 0.1, "dog": 0.9}] * 2, "let the path name their members"),
        ([[0.1, 0.2, None]] * 2, "null, true or false"),
        ([[0.1, 0.2]] * 2, "did not answer 2 x 3 numbers"),
    ],
)
def test_what_stands_where_numbers_are_wanted_is_told(tree, told):
    assert re.search(told, refuses(reading.scores, tree, 2, 3, "probabilities"))


def test_every_float32_survives_the_way_through_text():
    numbers = np.frombuffer(np.random.default_rng(0).bytes(4 * 20_000), np.float32)
    numbers = np.concatenate([numbers[np.isfinite(numbers)], np.float32([0.1, 1e-45, 3.4028235e38, -0.0])])
    text = json.dumps([numbers.astype(np.float64).tolist()])
    back = reading.scores(reading.read(text.encode()), 1, len(numbers), "logits")[0]
    assert back.tobytes() == numbers.tobytes()
