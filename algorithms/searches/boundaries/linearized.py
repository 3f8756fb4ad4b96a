"""Boundaries as a model draws them to first order: how far a rival is behind at a point, and how that changes there."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Array, Numbers
from algorithms.mathematics.losses import best_other, one_hot
from algorithms.seam.access import Rows, Scores
from algorithms.seam.case import Step
from algorithms.seam.question import Owners
from algorithms.seam.questions.gradients import AskGradient
from algorithms.searches.tallies.successes import Successes


class Boundaries(NamedTuple):
    """Boundaries are where gap + <slope, change> = 0 for each of m rivals of each of k points."""

    gaps: Numbers  # (k, m) f_rival - f_label at the points: below 0 on the label's side
    slopes: NDArray[np.float64]  # (k, m, d); 0 where one is no number
    scores: Scores  # (k, classes) at the points

    @property
    def found(self) -> NDArray[np.bool_]:
        """Tell which gaps (k, m) have a slope to follow."""
        return np.asarray(self.slopes.any(axis=2) & np.isfinite(self.gaps))


def linearize(successes: Successes, points: Rows, owners: Owners, rivals: NDArray[np.int64]) -> Step[Boundaries]:
    """Find the boundaries to rivals (k, m) to first order at flat points (k, d), at a gradient each.

    A target has to lead all others: it is held against whichever leads beside it, a rival against the label.
    """
    k, m = rivals.shape
    whose, aims = np.repeat(owners, m), rivals.reshape(-1)

    def behind(scores: Array, positions: Owners) -> tuple[Array, Array]:
        labels, ahead = successes.classes(scores, whose[positions], aims[positions])
        assert ahead is not None
        return ahead, labels if successes.cohort.targets is None else best_other(scores, ahead)

    def cotangent(scores: Array, positions: Owners) -> Array:
        ahead, other = behind(scores, positions)
        return one_hot(ahead, scores) - one_hot(other, scores)

    rows = successes.shaped(np.repeat(points, m, axis=0))
    scores, slopes = yield from AskGradient(rows, whose, cotangent=cotangent)
    z, place = np.asarray(scores, np.float64), np.arange(k * m)
    ahead, other = behind(scores, place)
    with np.errstate(invalid="ignore"):  # of scores that overflowed
        gaps = z[place, ahead] - z[place, other]
    finite = np.isfinite(slopes)
    flat = np.where(finite, slopes, 0).astype(np.float64).reshape(k, m, -1)
    return Boundaries(gaps.reshape(k, m), flat, scores[::m])
