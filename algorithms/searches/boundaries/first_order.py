"""How far away each rival class begins to first order: (f_y - f_j) / ||grad(f_y - f_j)||_q at the sample, or in l0 the
fewest changes by which f_y - f_j falls to 0 if it goes on as there.

On a linear model without a box that is the distance itself; elsewhere it says in which order rivals are tried, and in
which units a search without a radius begins.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Array, Numbers
from algorithms.mathematics.losses import one_hot
from algorithms.mathematics.norms import Norm
from algorithms.seam.case import Cohort, Step
from algorithms.seam.question import Owners
from algorithms.seam.questions.gradients import AskGradient, GradientQuestion
from algorithms.searches.tallies.successes import Successes, on_host
from algorithms.threats.threat import Threat

RIVALS = 9  # whose distance is looked up to first order: those with the largest scores (AutoAttack's number of targets)


class FirstOrder(NamedTuple):
    """Rivals (n, m) are ranked by their distance to first order, nearest first; `distance` (n,) is the nearest's.

    `lengths` (n, m) are those of the slopes of f_y - f_j, in the dual norm; a count has none, and they are in l2.
    """

    rivals: NDArray[np.int64]
    distance: Numbers
    lengths: Numbers


def leading_rivals(cohort: Cohort, most: int = RIVALS) -> NDArray[np.int64]:
    """Find the classes (n, m) with the largest clean scores beside the label; targeted: (n, 1), the targets."""
    if cohort.targets is not None:
        return cohort.targets[:, None]
    scores = on_host(cohort.scores).astype(np.float64)
    scores[np.arange(len(scores)), cohort.labels] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, : min(most, scores.shape[1] - 1)]


def rank_rivals(successes: Successes, question: type[GradientQuestion] = AskGradient) -> Step[FirstOrder]:
    """Rank the leading rivals by their distance to first order, at a gradient each; at least 1e-6, and 1 if unknown."""
    cohort, leading = successes.cohort, leading_rivals(successes.cohort)  # (n, m)
    n, m = leading.shape
    owners, rivals = np.repeat(np.arange(n), m), leading.reshape(-1)

    def gap(scores: Array, positions: Owners) -> Array:
        labels, aims = successes.classes(scores, owners[positions], rivals[positions])
        assert aims is not None
        return one_hot(aims, scores) - one_hot(labels, scores)

    scores, slopes = yield from question(successes.shaped(successes.x[owners]), owners, cotangent=gap)
    z = on_host(scores).astype(np.float64)
    behind = z[np.arange(n * m), cohort.labels[owners]] - z[np.arange(n * m), rivals]
    flat, x = on_host(slopes).reshape(n * m, -1), on_host(successes.x[owners])
    away = successes.threat.reach(flat, behind, x).reshape(n, m)
    nearest = away.min(axis=1)
    order = np.argsort(away, axis=1, kind="stable")
    return FirstOrder(
        rivals=np.take_along_axis(leading, order, axis=1),
        distance=np.where(np.isfinite(nearest), np.maximum(nearest, 1e-6), 1.0),
        lengths=np.take_along_axis(on_host(_steepness(successes.threat, flat)).reshape(n, m), order, axis=1),
    )


def _steepness(threat: Threat[Any], slopes: Array) -> Array:
    return threat.dual_lengths(slopes) if isinstance(threat.norm, Norm) else Threat(Norm.L2).dual_lengths(slopes)
