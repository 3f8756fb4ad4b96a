"""Hints as a file and on their way through the pipe: nothing is lost that a method could begin with."""

import numpy as np

from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.threats.threat import Box, Threat
from jobs.hints import as_arrays, from_arrays, packed, unpacked

SHAPE = (2, 3)
X = np.arange(6, dtype=np.float32).reshape(SHAPE) / 8
HINTS = {7: Hint(X, 0.5, 0.25), 2: Hint(None, 0.75), 4: Hint(proven=0.125)}


def same(one: Hint, other: Hint) -> bool:
    points = [hint.point for hint in (one, other)]
    same_point = np.array_equal(*points) if all(p is not None for p in points) else points == [None, None]
    return same_point and (one.reached, one.proven) == (other.reached, other.proven)


def test_a_file_of_hints_tells_each_row_its_own_and_unknown_rows_nothing():
    told = unpacked(packed(HINTS, SHAPE), (4, 5, 7, 2))
    assert all(map(same, told, (HINTS[4], NOTHING_KNOWN, HINTS[7], HINTS[2])))


def test_the_same_hints_are_the_same_bytes_whatever_order_they_came_in():
    assert packed(HINTS, SHAPE) == packed(dict(reversed(HINTS.items())), SHAPE)
    assert packed(HINTS, SHAPE) != packed(HINTS | {2: Hint(None, 0.5)}, SHAPE)


def test_a_file_without_any_point_is_read_too():
    (told,) = unpacked(packed({4: HINTS[4]}, SHAPE), (4,))
    assert same(told, HINTS[4])


def test_hints_go_through_arrays_and_what_is_no_number_is_dropped_where_they_are_used():
    back = from_arrays(*as_arrays([HINTS[7], HINTS[2], NOTHING_KNOWN], SHAPE))
    about = [hint.about(X, Threat(box=Box.unbounded())) for hint in back]
    assert all(map(same, about, (HINTS[7], HINTS[2], NOTHING_KNOWN)))
