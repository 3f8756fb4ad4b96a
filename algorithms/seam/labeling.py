"""Which class a row's scores name, and that they may name none.

A class is named by the largest score, the first of equals, where that is a finite number. NaN is larger than nothing
and smaller than nothing, and infinity is what overflow leaves: a row with either among its largest has no class. It is
then neither right nor fooled, and no vote. A score of -inf behind a finite one is a probability of 0, and does no harm.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask
from algorithms.seam.access import Labels, Scores

NO_CLASS = -1


def named(scores: Scores) -> Labels:
    """Name the class of each row, (m, classes) -> (m,): NO_CLASS where the largest score is no finite number."""
    return np.where(np.isfinite(scores.max(axis=1)), scores.argmax(axis=1), NO_CLASS)


def answered(labels: NDArray[np.integer]) -> Labels:
    """Read labels (m,) that a model gives out itself. A negative one, as a Cast of NaN leaves it, is no class."""
    return np.where(labels < 0, NO_CLASS, labels).astype(np.int64, copy=False)


def is_fooled(labels: Labels, label: int, target: int | None) -> Mask:
    """Tell which answers (m,) are another class than the label, or the target where there is one."""
    return np.asarray((labels != label) & (labels != NO_CLASS) if target is None else labels == target)


def lifted(scores: Scores, labels: Labels) -> Scores:
    """Raise the label's score just above the others wherever another is the largest: the argmax is then the label.

    That happens on rows where rounding, or a difference that was not seen when the model was inspected, parts the two.
    A row whose label is no class has no scores: NaN.
    """
    if (labels == NO_CLASS).any():
        scores = np.where((labels == NO_CLASS)[:, None], scores.dtype.type(np.nan), scores)
    is_class = (labels < scores.shape[1]) & (named(scores) != NO_CLASS)
    rows = np.flatnonzero((scores.argmax(axis=1) != labels) & is_class)
    if not len(rows):
        return scores
    scores = scores.copy()
    scores[rows, labels[rows]] = np.nextafter(scores[rows].max(axis=1), scores.dtype.type(np.inf))
    return scores
