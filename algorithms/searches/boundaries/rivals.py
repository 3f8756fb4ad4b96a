"""The classes that a sample may be taken for, by how much it is not, and how far away that is to first order."""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.case import Case


def rivals_of(case: Case, most: int | None) -> tuple[NDArray[np.int64], Numbers]:
    """Choose rivals (r,), and find their margins f_label - f_rival at the sample, (r,).

    The target, or the other classes, the highest logit first, or the `most` of these that have the highest logits.
    """
    assert case.scores is not None
    ranked = np.argsort(-case.scores, kind="stable")
    rivals = ranked[ranked != case.label][:most] if case.target is None else np.array([case.target])
    return rivals, case.scores[case.label].astype(np.float64) - case.scores[rivals]


def reach(margins: Numbers | float, gradient_norms: Numbers | float) -> Numbers:
    """Divide margins by gradient norms L, element by element: infinite where no gradient was met."""
    flat = np.equal(gradient_norms, 0)
    return np.where(flat, np.inf, np.divide(margins, np.where(flat, 1.0, gradient_norms)))
