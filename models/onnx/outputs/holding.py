"""A label output held against the scores beside it: the same answer, or what explains that it is another one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Labels
from models.onnx.outputs.looking import Looked

# Of a row's largest score, or of a usual one, at most 1, where that is more: below it two scores are a tie, and either
# may win. A logit of 1e-8 is a sigmoid of exactly 1/2. Float64 rounds less: there it is a share of how far scores lie
# apart, and what all of them have in common hides no difference.
ROUNDING = 1e-5


@dataclass(frozen=True)
class Order:
    """The scores stand in another order than the labels: `columns[c]` is the column of class c."""

    columns: tuple[int, ...]


@dataclass(frozen=True)
class Threshold:
    """Of two classes, the second is the label where its score is ahead by more than `ahead`."""

    ahead: float


Explanation = tuple[Order | Threshold, ...]  # what is to be done to the scores, in this order


def differing(looked: Looked) -> NDArray[np.bool_]:
    """Tell of each row (n,) whether its label is not its largest score, by more than rounding."""
    top = np.sort(looked.scores, axis=1)
    with np.errstate(invalid="ignore"):
        size = top[:, -1] - top[:, 0] if top.dtype == np.float64 else np.abs(top).max(axis=1)
        ahead = top[:, -1] - top[:, -2]
        is_clear = np.isfinite(top).all(axis=1) & (ahead > ROUNDING * np.maximum(size, _usual(size)))
    return np.asarray(is_clear & (looked.scores.argmax(axis=1) != looked.labels))


def _usual(sizes: NDArray[np.floating]) -> float:
    finite = sizes[np.isfinite(sizes)]
    return min(1.0, float(np.median(finite))) if len(finite) else 0.0


def explain(looked: Looked) -> Explanation | None:
    """Find what turns the largest score of every row into its label; None where neither order nor threshold does."""
    order = _order(looked)
    if order is not None:
        return (order,)
    if looked.scores.shape[1] != 2:
        return None
    ahead = looked.scores[:, 1] - looked.scores[:, 0]
    for turned in (False, True):
        threshold = _threshold(-ahead if turned else ahead, looked.labels)
        if threshold is not None:
            return (Order((1, 0)), threshold) if turned else (threshold,)
    return None


def _order(looked: Looked) -> Order | None:
    """Every class must have been seen, else its place would be a guess."""
    classes = looked.scores.shape[1]
    columns = []
    for label in range(classes):
        own = looked.scores[looked.labels == label]
        if not len(own):
            return None
        columns.append(int(np.bincount(own.argmax(axis=1), minlength=classes).argmax()))
    if sorted(columns) != list(range(classes)):
        return None
    order = Order(tuple(columns))
    return None if differing(Looked(looked.labels, looked.scores[:, columns])).any() else order


def _threshold(ahead: NDArray[np.floating], labels: Labels) -> Threshold | None:
    finite = np.isfinite(ahead)
    below, above = ahead[finite & (labels == 0)], ahead[finite & (labels == 1)]
    if not len(below) or not len(above):
        return None
    last, first = float(below.max()), float(above.min())
    return Threshold((last + first) / 2) if last - first <= ROUNDING * max(abs(last), abs(first)) else None
