"""Scores whose largest is the label that a model answers, where it answers both and rounding parts the two."""

import numpy as np

from algorithms.seam.access import Labels, Scores
from algorithms.seam.labeling import NO_CLASS, named


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
