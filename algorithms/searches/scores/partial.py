"""Partial information: only the highest scores of a row are seen, and bound all others."""

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Labels, Scores


def seen(scores: Scores, top: int, are_probabilities: bool) -> Numbers:
    """Put the bound that the `top` highest scores of each row are for all others into their place, (m, classes).

    They are no higher than the lowest that is seen, nor, of probabilities, than what is left of 1. So a margin to a
    class that is not seen is the largest that may be, in favor of the class.
    """
    z = np.asarray(scores, np.float64)
    if top >= z.shape[1]:
        return z
    least = np.partition(z, -top, axis=1)[:, [-top]]  # (m, 1)
    is_seen = z >= least
    bound = least
    if are_probabilities:
        left = 1.0 - np.where(is_seen, z, 0.0).sum(axis=1, keepdims=True)
        bound = np.minimum(bound, np.maximum(left, 0.0))
    return np.where(is_seen, z, bound)


def are_among(scores: Scores, classes: Labels, top: int) -> Mask:
    """Tell which rows (m,) show their class (m,) among their `top` highest scores."""
    own = np.take_along_axis(scores, classes[:, None], axis=1)
    return np.asarray((scores > own).sum(axis=1) < top)
