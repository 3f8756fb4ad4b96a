"""Names of classes, and labels read by them: which column of the scores a label means.

A label is text or a whole number. Text is a name. A whole number is a name too where any class is named by a number
(1, 2, 3 or -1, 1); else it is the number of a column, counted from 0. What is neither is refused, never guessed.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from algorithms.errors import Refused

LONGEST = 64  # characters of a name, and of a label
MOST_BYTES = 256 << 10  # of all names of a model as JSON: a card is sent and kept as a whole
SHOWN = 5  # classes that a sentence lists

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)

Key = int | str  # what two labels must have in common to be the same: 1, "1" and "1.0" are


def are_short(names: Iterable[str]) -> bool:
    """Tell whether names are few and short enough for a card."""
    return len(json.dumps(list(names))) <= MOST_BYTES


def _differ_and_are_short(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(map(key, names))) < len(names):
        raise ValueError("the names of classes must differ from each other")
    if not are_short(names):
        raise ValueError(f"the names of all classes together may have at most {MOST_BYTES >> 10} KiB; shorten them")
    return names


def _is_printable(name: str) -> str:
    if not name.isprintable():
        raise ValueError("a name is printable text")
    return name


ClassName = Annotated[str, Field(strict=True, min_length=1, max_length=LONGEST), AfterValidator(_is_printable)]
NamesByColumn = Annotated[
    tuple[ClassName, ...], Field(min_length=2, max_length=100_000), AfterValidator(_differ_and_are_short)
]


def key(label: int | str) -> Key:
    """Make what equal labels have in common: the number, where the text is a whole one."""
    if isinstance(label, int):
        return label
    if _WHOLE.fullmatch(label):
        return int(label)
    value = float(label) if _NUMBER.fullmatch(label) else 0.5
    return int(value) if abs(value) < 2**53 and value.is_integer() else label


def are_numbers(names: Sequence[str]) -> bool:
    """Tell whether whole numbers are names here, and not columns."""
    return any(isinstance(key(name), int) for name in names)


@dataclass(frozen=True)
class NamedClasses:
    """Named classes are how many a model has and, where somebody told, what they are called by column."""

    count: int
    names: Sequence[str] | None

    def columns(self, labels: NDArray[Any]) -> NDArray[np.int64]:
        """Read labels (m,), whole numbers or text, as columns (m,).

        Raises Refused(label_out_of_range), naming a label that is none.
        """
        found, place = np.unique(labels, return_inverse=True)
        spelled = found.tolist()
        meanings = self._meanings(is_text=found.dtype.kind == "U")
        for label in spelled:
            if key(label) not in meanings:
                raise Refused(self._why_not(label, spelled), code="label_out_of_range", pointer="/samples_id")
        return np.array([meanings[key(label)] for label in spelled], np.int64)[place]

    def _meanings(self, *, is_text: bool) -> dict[Key, int]:
        """{label: column} of all that mean one."""
        if self.names is not None and (is_text or are_numbers(self.names)):
            return {key(name): column for column, name in enumerate(self.names)}
        return {} if is_text else {column: column for column in range(self.count)}

    @property
    def numbers(self) -> str:
        """Returns the whole numbers that are labels, in words."""
        if self.names is None or not are_numbers(self.names):
            return f"0 to {self.count - 1}"
        numbers = [number if isinstance(number := key(name), int) else "a word" for name in self.names[:SHOWN]]
        more = "" if len(self.names) <= SHOWN else ", ..."
        return f"{', '.join(map(str, numbers))}{more} (column 0 is class {numbers[0]})"

    def _why_not(self, label: int | str, found: Sequence[int | str]) -> str:
        shown = json.dumps(label)
        if self.names is not None and are_numbers(self.names):
            return (
                f"The label {shown} is no class of this model, which calls its classes {self.numbers};"
                " label the samples by the names on its card (classes_named)."
            )
        if isinstance(label, int):
            ends = f"from {found[0]} to {found[-1]}"
            return f"The labels run {ends}, the model knows {self.numbers}; upload labels it knows."
        if self.names is None:
            return (
                f"The labels are text ({shown}), and this model does not tell what its classes are called;"
                f" label each sample with the number of its class, {self.numbers}, in the order of the scores."
            )
        return f"The label {shown} is no class of this model, which calls them otherwise (classes_named on its card)."
