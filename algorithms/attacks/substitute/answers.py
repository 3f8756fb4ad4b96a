"""What a model's answers teach: probabilities of the classes, soft where it gives scores."""

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Labels, Scores
from algorithms.seam.labeling import NO_CLASS

NEVER = 1e-30  # what a probability of 0 counts as
FLOOR = -100.0  # the least that a score counts, below the row's largest: no more is to be learned from less


def below_largest(scores: Scores, *, are_probabilities: bool) -> NDArray[np.float32]:
    """Write scores (m, classes) as logits below the row's largest, from FLOOR to 0: finite, whatever was answered."""
    logits = np.asarray(scores, np.float64)
    if are_probabilities:
        logits = np.log(np.maximum(logits, 0) + NEVER)
    largest = logits.max(axis=1, keepdims=True)
    below = np.where(np.isfinite(largest), logits - np.where(np.isfinite(largest), largest, 0), 0)
    return np.asarray(np.maximum(np.nan_to_num(below, nan=FLOOR), FLOOR), np.float32)


def taught(labels: Labels, below: NDArray[np.float32], classes: int) -> NDArray[np.float32]:
    """Write answers as probabilities (m, classes); of a row that names no class, all 0.

    `below` (m, classes) of `below_largest` is softened by its own spread over all rows: so a model that is sure of
    everything teaches which classes come next, too (Hinton, Vinyals, Dean, 2015, arXiv:1503.02531), and the scale of
    its scores is no matter. Without scores, (m, 0), the label has all.
    """
    is_answer = labels != NO_CLASS
    if not below.shape[1]:
        found = np.zeros((len(labels), classes), np.float32)
        found[is_answer, labels[is_answer]] = 1
        return found
    logits = below.astype(np.float64)
    spread = np.sqrt(np.square(logits - logits.mean(axis=1, keepdims=True))[is_answer].mean()) if is_answer.any() else 0
    odds = np.exp(logits / max(float(spread), 1e-6))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True) * is_answer[:, None], np.float32)
