"""Labels read by the names of classes: as somebody means them, or not at all."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from algorithms.errors import Refused
from models.class_names import MOST_BYTES, NamedClasses, NamesByColumn, key

FROM_ONE, SIGNS, WORDS, COLUMNS = ("1", "2", "3"), ("-1", "1"), ("cat", "dog", "emu"), ("0", "1", "2")
NAMES = TypeAdapter(NamesByColumn)


@pytest.mark.parametrize(
    ("names", "labels", "columns"),
    [
        (None, [0, 2, 1], [0, 2, 1]),
        (COLUMNS, [0, 2, 1], [0, 2, 1]),
        (FROM_ONE, [1, 3, 2], [0, 2, 1]),
        (FROM_ONE, [1, 2, 1], [0, 1, 0]),  # all of them numbers of columns too
        (FROM_ONE, ["1", "3", "2.0"], [0, 2, 1]),
        (("1.0", "2.000e0", "3"), [3, 2, 1], [2, 1, 0]),
        (SIGNS, [1, -1, 1], [1, 0, 1]),
        (SIGNS, [1, 1], [1, 1]),
        (("3", "1", "2"), [1, 2, 3], [1, 2, 0]),  # in the order of the file, whatever that is
        (WORDS, ["emu", "cat", "dog"], [2, 0, 1]),
        (WORDS, [2, 0, 1], [2, 0, 1]),
        (("1", "other"), [1], [0]),
        (("1", "other"), ["other", "1"], [1, 0]),
        (("0.5", "1.5", "2.5"), [2, 0], [2, 0]),  # these are no labels that a whole number could be
    ],
)
def test_a_label_means_the_class_that_is_called_so(names, labels, columns):
    classes = NamedClasses(3 if names is None else len(names), names)
    np.testing.assert_array_equal(classes.columns(np.array(labels)), np.array(columns, np.int64), strict=True)


@pytest.mark.parametrize(
    ("names", "labels", "told"),
    [
        (None, [0, 3], r"run from 0 to 3, the model knows 0 to 2"),
        (None, ["cat"], r'are text \("cat"\), and this model does not tell .* number of its class, 0 to 2'),
        (FROM_ONE, [0, 1, 2], r"The label 0 is no class .* calls its classes 1, 2, 3 \(column 0 is class 1\)"),
        (FROM_ONE, [1, 4], r"The label 4 is no class"),
        (FROM_ONE, ["one"], r'The label "one" is no class .* \(column 0 is class 1\)'),
        (SIGNS, [0, 1], r"The label 0 is no class .* calls its classes -1, 1 \(column 0 is class -1\)"),
        (WORDS, ["cat", "bird"], r'The label "bird" is no class of this model, which calls them otherwise'),
        (WORDS, ["0"], r'The label "0" is no class'),
        (WORDS, ["Cat"], r'The label "Cat" is no class'),
        (WORDS, [-1, 0], r"run from -1 to 0, the model knows 0 to 2"),
        (WORDS, [1, 2, 3], r"run from 1 to 3, the model knows 0 to 2"),
        (("1", "other"), [0], r"The label 0 is no class .* calls its classes 1, a word \(column 0 is class 1\)"),
        (tuple(map(str, range(10, 20))), [9], r"classes 10, 11, 12, 13, 14, \.\.\. \(column 0 is class 10\)"),
    ],
)
def test_what_is_no_name_and_no_column_is_refused(names, labels, told):
    with pytest.raises(Refused, match=told) as error:
        NamedClasses(3 if names is None else len(names), names).columns(np.array(labels))
    assert (error.value.code, error.value.pointer) == ("label_out_of_range", "/samples_id")
    assert not any(word in error.value.detail for word in ("cat", "dog", "emu") if word not in labels)


def test_labels_of_a_caller_are_shown_escaped():
    with pytest.raises(Refused, match=r"\"\\u00fc\\\"\""):
        NamedClasses(3, None).columns(np.array(['ü"']))


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("+1", 1), ("-1", -1), ("1.", 1), ("01", 1), ("1e2", 100)])
def test_text_is_a_number_where_it_is_written_as_a_whole_one(text, number):
    assert key(text) == key(number) == number


@pytest.mark.parametrize("text", ["1.5", "1_0", "nan", "inf", "1e400", "", " 1", "\u0661"])
def test_other_text_is_a_word(text):
    assert key(text) == text


TOO_LONG_TOGETHER = [f"{n:064}" for n in range(MOST_BYTES // 64)]


@pytest.mark.parametrize(
    "names",
    [["a"], ["a", "a"], ["1", "1.0"], ["a", ""], ["a", "b" * 65], ["a", "b\n"], ["a", 1], "ab", TOO_LONG_TOGETHER],
)
def test_names_are_few_short_and_different(names):
    with pytest.raises(ValidationError):
        NAMES.validate_python(names)
    assert NAMES.validate_json('["cat", "d\\u00f6g", "' + "e" * 64 + '"]')
