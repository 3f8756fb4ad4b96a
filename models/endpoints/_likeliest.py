"""Answers of the likeliest classes only: scores with the class of each beside it, and bounds for all classes left out.

A class that is not answered is at most as likely as the last that is, and as what is left of 1 but for rounding. It
gets that bound as its score, or the next below the largest: the largest score is then that of the class the endpoint
names first alone, a margin towards a class left out is a bound, and none that was left out is ever taken for the
answer, or shares it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Scores
from models.cards import OutputKind
from models.class_names import NamedClasses
from models.endpoints import _reading
from models.endpoints._faults import bad_response
from models.endpoints._kinds_of_scores import decimals
from models.endpoints._ordering import Place
from models.lifting import lifted

MOST_SUM = 1.02  # of the probabilities of a row whose rounding is not seen

Values = Mapping[Place, Any]  # what an answer holds, by its place there


@dataclass(frozen=True)
class Likeliest:
    """Likeliest are the scores of some classes of each row, and these classes, each by its place in the answer."""

    scores: Values
    classes: Values


def at_places(nodes: Sequence[tuple[Place, Any]]) -> dict[Place, Any]:
    """Lay lists out: each of their values has a place of its own."""
    found: dict[Place, Any] = {}
    for place, value in nodes:
        if isinstance(value, list):
            found |= at_places([((*place, i), part) for i, part in enumerate(value)])
        else:
            found[place] = value
    return found


def scores(found: Likeliest, rows: int, classes: NamedClasses, kind: OutputKind) -> tuple[Scores, int]:
    """Make scores (rows, K), and count the classes of the row that names fewest. Raises ModelFault.

    A class and its score stand at the same numbers of the lists in the answer.
    """
    numbers, labels = ([_indices(place) for place in part] for part in (found.scores, found.classes))
    if numbers != labels or len(set(numbers)) < len(numbers):
        raise bad_response(
            "The paths scores and classes of the options do not lead to one class beside each score, in the same lists"
            " of the answer; mend them, as in $[*].top[*].score and $[*].top[*].class."
        )
    values = _reading.numbers(list(found.scores.values()))
    columns = _reading.labels(list(found.classes.values()), len(values), classes)
    row = _rows(numbers, rows)
    full, fewest = np.zeros((rows, classes.count)), classes.count
    best = np.zeros(rows, np.int64)
    for i in range(rows):
        mine = row == i
        full[i], best[i] = _filled(values[mine], columns[mine], classes.count, kind)
        fewest = min(fewest, int(mine.sum()))
    answers = _reading.in_float32(full)
    largest = answers[np.arange(rows), best][:, None]
    is_left_out = np.ones(answers.shape, np.bool_)
    is_left_out[row, columns] = False
    below = np.where(is_left_out, np.minimum(answers, np.nextafter(largest, np.float32(-np.inf))), answers)
    return lifted(below, best), fewest


def _filled(values: NDArray[np.float64], columns: NDArray[np.int64], count: int, kind: OutputKind) -> tuple[Any, int]:
    """The scores (count,) of one row, and its class."""
    if len(set(columns.tolist())) < len(columns):
        raise bad_response("The endpoint answered a class twice for one row; let it name each of the likeliest once.")
    least = values.min()
    if kind == "probabilities":
        left, rounding = 1 - values.sum(), _rounding(values)
        if values.min() < 0 or left < min(1 - MOST_SUM, -rounding):
            raise bad_response(
                "The endpoint answered no probabilities, which would be in [0, 1], and sum to 1 at the most; let it"
                " answer shares between 0 and 1, not percentages, or register it with output.kind logits."
            )
        least = min(least, max(left + rounding, 0.0))
    row = np.full(count, least)
    row[columns] = values
    return row, int(columns[values == values.max()].min())


def _rounding(values: NDArray[np.float64]) -> float:
    """How far the sum of a row may be off: each number by half of the last decimal; 0 where no rounding is seen."""
    last = decimals(values[None])
    return 0.0 if last is None else len(values) * 0.5 * 10 ** -max(last, 1)


def _rows(places: Sequence[tuple[int, ...]], rows: int) -> NDArray[np.int64]:
    """Which row each place belongs to, by the first number in which places differ, where there are several rows."""
    if rows == 1:
        return np.zeros(len(places), np.int64)
    differ = [len(set(numbers)) > 1 for numbers in zip(*places, strict=False)]
    at = differ.index(True) if any(differ) else 0
    keys = [place[at] if len(place) > at else -1 for place in places]
    order = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    if len(order) != rows or list(order) != sorted(order):
        raise bad_response(
            f"The endpoint did not answer the likeliest classes of {rows} rows, one row after the other; check its"
            " address, and the paths scores and classes of the options."
        )
    return np.array([order[key] for key in keys], np.int64)


def _indices(place: Place) -> tuple[int, ...]:
    return tuple(part for part in place if isinstance(part, int))
