"""Which class a row's scores name, and that they may name none.

A class is named by the largest score, the first of equals, where that is a finite number. NaN is larger than nothing
and smaller than nothing, and infinity is what overflow leaves: a row with either among its largest has no class. It is
then neither right nor fooled, and no vote. A score of -inf behind a finite one is a probability of 0, and does no harm.
"""

import numpy as np

from algorithms.mathematics.arrays import Mask
from algorithms.seam.access import Labels, Scores

NO_CLASS = -1


def named(scores: Scores) -> Labels:
    """Name the class of each row, (m, classes) -> (m,): NO_CLASS where the largest score is no finite number."""
    return np.where(np.isfinite(scores.max(axis=1)), scores.argmax(axis=1), NO_CLASS)


def is_fooled(labels: Labels, label: int | Labels, target: int | Labels | None) -> Mask:
    """Tell which answers (m,) are another class than the label, or the target where there is one.

    Both are one for all answers, or (m,).
    """
    return np.asarray((labels != label) & (labels != NO_CLASS) if target is None else labels == target)
