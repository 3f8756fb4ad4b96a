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
        self._of_one: Counter[Name] = Counter()  # of one number a row
        self._classes: set[int] = set()  # which those numbers are read as
        self.are_numbers = False  # one a row, of two classes

    @property
    def are_named(self) -> bool:
        """Tells whether each number of a row has a name of its own beside it: then it cannot be another's."""
        names = self._first[0] if self._first else ()
        return len(names) > 1 and UNNAMED not in names and len(set(names)) == len(names)

    def check(self, names: Sequence[Name], scores: Scores) -> None:
        """Hold the names of rows of scores (m, K) against those of the first row. Raises Unordered.

        Whole numbers may mark the largest score, and then change places too: they count where the scores of both rows
        fall, as sorted ones do.
        """
        rows, classes = scores.shape
        if len(names) == rows:
            self._of_one.update(names)
            self._classes.update(scores.argmax(axis=1).tolist())
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

    def check_confidences(self) -> None:
        """Refuse one number a row that is always of class 1 while the names beside it change. Raises Unordered.

        It is then no score of class 1 but of the class that is named. Names that do not come again are no classes.
        """
        again = [name for name, count in self._of_one.items() if count > 1]
        named = [
            {part for part in parts if isinstance(part, str) or part in (0, 1)} for parts in zip(*again, strict=False)
        ]
        if self._classes == {1} and any(len(parts) > 1 for parts in named):
            raise Unordered(
                "The endpoint names a class beside each number, which never is on the side of class 0: it says how sure"
                " the endpoint is of the class that it names. Register its labels (output.kind labels and the option"
                " label), or let it answer the probability of class 1."
            )
