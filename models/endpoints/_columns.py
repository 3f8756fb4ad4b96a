"""Whether the names beside an answer's numbers keep their places, from row to row and from request to request.

Servers sort: the likeliest class first, whichever that is. Where they name the class beside each number, that is seen.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, final

import numpy as np

from algorithms.seam.access import Scores
from models.endpoints._faults import Unordered

Name = tuple[str | int, ...]  # whatever stands beside one number
UNNAMED: Name = ()


def beside(value: Any, others: Iterable[Any]) -> list[Name]:
    """Name each number of `value`, one or nested lists of them, by what has its place in others of the same form.

    Texts name a number, and so do whole numbers.
    """
    numbers = np.array(value, dtype=object)
    found = [np.array(other, dtype=object) for other in others]
    naming = [each.ravel().tolist() for each in found if each.shape == numbers.shape and _can_name(each)]
    return list(zip(*naming, strict=True)) if naming else [UNNAMED] * numbers.size


def _can_name(values: Any) -> bool:
    kinds = set(map(type, values.ravel()))
    return kinds in ({str}, {int})


@final
class Columns:
    """Columns remember the names of the first row: a later one has them in the same places, or there are no columns."""

    def __init__(self) -> None:
        self._first: tuple[tuple[Name, ...], bool] | None = None

    def check(self, names: Sequence[Name], scores: Scores) -> None:
        """Hold the names of rows of scores (m, K) against those of the first row. Raises Unordered.

        Whole numbers may mark the largest score, and then change places too: they count where the scores of both rows
        fall, as sorted ones do.
        """
        rows, classes = scores.shape
        if len(names) != rows * classes:
            return
        for i in range(rows):
            row, falls = tuple(names[i * classes : (i + 1) * classes]), bool((np.diff(scores[i]) <= 0).all())
            first, first_falls = self._first = self._first or (row, falls)
            has_changed = row != first and Counter(row) == Counter(first)
            is_text = any(isinstance(part, str) for name in row for part in name)
            if has_changed and (is_text or (falls and first_falls)):
                raise Unordered(
                    "The endpoint names a class beside each number, and the names change places from row to row; let it"
                    " answer in one order, or objects whose members the path can name: $[*]['first', 'second']."
                )
