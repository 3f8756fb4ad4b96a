"""From rows that hold together, or one of several alternatives, to boxes of inputs and what is wanted in each."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from models.properties.conditions import Property, PropertyCase, WantedOutputs
from models.properties.sums import LinearSum
from models.properties.terms import refusal

HELD = 2**22  # numbers of all cases


@dataclass(frozen=True)
class Row:
    """A row says that a linear sum is no more than zero; if it is strict, that it is less."""

    sum: LinearSum
    is_strict: bool
    line: int


Conjunction = tuple[Row, ...]


@dataclass(frozen=True)
class NormalForm:
    """A normal form holds where all common rows do, and those of any alternative."""

    common: list[Row]
    alternatives: list[Conjunction]


def cases(form: NormalForm, inputs: int, outputs: int, line: int) -> Property:
    """Make one case for each box, with all that is wanted in it. Raises Refused."""
    shared = [row for row in form.common if not _is_bound(row)]
    everywhere = InputBox.unbounded(inputs).within(filter(_is_bound, form.common))
    boxes = 1 + sum(any(map(_is_bound, rows)) for rows in form.alternatives)
    conditions = len(shared) * len(form.alternatives) + sum(map(len, form.alternatives))
    if conditions > HELD // outputs:
        raise refusal("there are too many conditions on outputs in all alternatives together", line)
    if boxes > HELD // inputs:
        raise refusal("there are too many alternatives with bounds of inputs", line)
    found: dict[tuple[bytes, bytes], tuple[InputBox, list[WantedOutputs]]] = {}
    for rows in form.alternatives:
        bounds = [row for row in rows if _is_bound(row)]
        box = everywhere.within(bounds) if bounds else everywhere
        wanted = _wanted([*shared, *(row for row in rows if not _is_bound(row))], outputs, line)
        box.refuse_unbounded(line)
        if (box.lower <= box.upper).all():
            found.setdefault(box.key, (box, []))[1].append(wanted)
    return tuple(PropertyCase(box.lower, box.upper, tuple(parts)) for box, parts in found.values())


def _is_bound(row: Row) -> bool:
    return any(side == "X" and number for (side, _), number in row.sum.factors.items())


@dataclass(frozen=True)
class InputBox:
    """A box is what bounds of inputs leave of them, (inputs,) float64."""

    lower: np.ndarray
    upper: np.ndarray

    @classmethod
    def unbounded(cls, inputs: int) -> Self:
        return cls(np.full(inputs, -np.inf), np.full(inputs, np.inf))

    @cached_property
    def key(self) -> tuple[bytes, bytes]:
        return self.lower.tobytes(), self.upper.tobytes()

    def within(self, rows: Iterable[Row]) -> "InputBox":
        """Cut it at more bounds. Before one that is strict there is the next number of float64."""
        lower, upper = self.lower.copy(), self.upper.copy()
        for row in rows:
            factors = [(at, number) for (_, at), number in row.sum.factors.items() if number]
            if len(factors) > 1:
                raise refusal(
                    "a condition is on an input and something else; of inputs only bounds are decided about", row.line
                )
            ((at, number),) = factors
            bound = -row.sum.constant / number
            if not math.isfinite(bound):
                raise refusal("the bound of an input is not finite", row.line)
            if number > 0:
                upper[at] = min(upper[at], np.nextafter(bound, -np.inf) if row.is_strict else bound)
            else:
                lower[at] = max(lower[at], np.nextafter(bound, np.inf) if row.is_strict else bound)
        return InputBox(lower, upper)

    def refuse_unbounded(self, line: int) -> None:
        """Raise Refused where an input has no bound on some side."""
        free = np.flatnonzero(~(np.isfinite(self.lower) & np.isfinite(self.upper)))
        if len(free):
            count = len(self.lower)
            raise refusal(
                f"not all of the model's {count:,} inputs are bounded on both sides: number {free[0]} is not", line
            )


def _wanted(rows: Sequence[Row], outputs: int, line: int) -> WantedOutputs:
    if not rows:
        raise refusal("there is an alternative without a condition on outputs", line)
    matrix = np.zeros((len(rows), outputs))
    for i, row in enumerate(rows):
        for (side, at), number in row.sum.factors.items():
            if side == "Y":
                matrix[i, at] = number
    return WantedOutputs(
        matrix, np.array([-row.sum.constant for row in rows]), np.array([row.is_strict for row in rows])
    )
