"""Names beside numbers keep their places from row to row, or there are no columns."""

import numpy as np
import pytest

from algorithms.errors import ModelFault
from models.endpoints._columns import Columns

FALLING, RISING = np.float32([[0.7, 0.3]]), np.float32([[0.3, 0.7]])
CROW, MOTH = ("crow",), ("moth",)


def held(*rows) -> None:
    columns = Columns()
    for names, scores in rows:
        columns.check(names, scores)


@pytest.mark.parametrize(
    "rows",
    [
        [([CROW, MOTH], FALLING), ([CROW, MOTH], FALLING), ([MOTH, CROW], FALLING)],
        [([CROW, MOTH], FALLING), ([MOTH, CROW], RISING)],
        [([CROW, MOTH, MOTH, CROW], np.concatenate([FALLING, FALLING]))],
        [([(4,), (2,)], FALLING), ([(2,), (4,)], FALLING)],
    ],
    ids=["sorted", "anyhow", "within one answer", "numbers, sorted"],
)
def test_names_that_change_places_are_refused(rows) -> None:
    with pytest.raises(ModelFault, match="change places") as fault:
        held(*rows)
    assert fault.value.code == "endpoint_bad_response"


@pytest.mark.parametrize(
    "rows",
    [
        [([CROW, MOTH], FALLING), ([CROW, MOTH], RISING)],
        [([CROW, CROW], FALLING), ([MOTH, MOTH], RISING)],
        [([(1,), (0,)], FALLING), ([(0,), (1,)], RISING)],
        [([(), ()], FALLING), ([(), ()], RISING)],
        [([], FALLING)],
        [([CROW], FALLING), ([MOTH], FALLING)],
    ],
    ids=["in place", "of rows", "marks of the largest", "no names", "no place for any", "one a row"],
)
def test_other_names_are_none_of_columns(rows) -> None:
    held(*rows)
