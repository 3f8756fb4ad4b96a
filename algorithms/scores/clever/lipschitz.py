"""From gradient norms met in a ball to a distance: margin / L, where L is estimated from the batches' largest norms.

If ||grad(f_c - f_j)||_q <= L_j all over the p-ball of radius R around x, the answer c cannot turn into j within
min((f_c - f_j)(x) / L_j, R) (Weng et al. 2018, Theorem 3.2). With an estimate in place of L_j that is a score, not a
bound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.extreme_value import (
    OPEN,
    TOLD_SHAPES,
    Restraint,
    farthest_end_point,
    is_degenerate,
    ks_p,
)
from algorithms.searches.boundaries.rivals import reach

Status = Literal["ok", "degenerate", "no_finite_endpoint", "censored_at_radius"]
LEVEL = 0.95  # of the interval


@dataclass(frozen=True)
class Estimator:
    """An estimator is how a version of `clever` takes an end point from maxima, and when it doubts that it is one."""

    restraint: Restraint
    doubt: Callable[[Numbers], tuple[float, bool]]  # of maxima (n,): the shape to tell, whether no end point shows


def by_interval(maxima: Numbers) -> tuple[float, bool]:
    """Doubt an end point that may lie half again as far as the largest maximum (n,) or farther; and tell its shape.

    A width changes little from one draw to the next, and ordinary networks lie far below the limit. Shapes do not: half
    the fits to 50 maxima would fall on either side of any limit by chance.
    """
    far = TOLD_SHAPES.interval(maxima, level=LEVEL)[1]
    return TOLD_SHAPES.fit(maxima).shape, far > OPEN * maxima.max()


ESTIMATOR = Estimator(TOLD_SHAPES, by_interval)


@dataclass(frozen=True)
class Score:
    """A score is min over rivals j of min(margin_j / a_j, cap), a_j the end point fitted to rival j's batch maxima."""

    value: float
    status: Status
    rival: int  # position of the rival that gives the minimum
    end_point: float  # a of this rival
    shape: float | None  # as the estimator tells it; None where nothing was fitted


def score(margins: Numbers, maxima: Numbers, cap: float, estimator: Estimator = ESTIMATOR) -> Score:
    """Score margins (rivals,) by batch maxima (batches, rivals), at least one of them above 0."""
    rival, end_point = _nearest_rival(margins, maxima, estimator.restraint)
    distance = float(reach(margins[rival], end_point))
    y = maxima[:, rival]
    shape, is_open = (None, False) if is_degenerate(y) else estimator.doubt(y)
    return Score(min(distance, cap), _status(distance, cap, shape, is_open), rival, end_point, shape)


def score_interval(margin: float, maxima: Numbers, cap: float, restraint: Restraint = TOLD_SHAPES) -> list[float]:
    """Score one rival at both ends of its end point's interval: the uncertainty of the fit alone."""
    if is_degenerate(maxima):
        return [min(float(reach(margin, maxima.max())), cap)] * 2
    nearest, farthest = restraint.interval(maxima, level=LEVEL)
    return [min(margin / farthest, cap), min(margin / nearest, cap)]


def fit_p_value(maxima: Numbers, restraint: Restraint = TOLD_SHAPES) -> float | None:
    """Test whether the fitted law describes one rival's maxima (batches,). None where they are degenerate."""
    return None if is_degenerate(maxima) else ks_p(maxima, restraint.fit(maxima))


def _nearest_rival(margins: Numbers, maxima: Numbers, restraint: Restraint) -> tuple[int, float]:
    """(position, end point) of the smallest margin_j / a_j.

    A fit takes milliseconds and K may be a thousand, so rivals whose end point cannot be far enough to win are left
    out, by the little that is known of it beforehand and then by the grid of its fit: the answer is the same.
    """
    floors = np.array([reach(g, farthest_end_point(y)) for g, y in zip(margins, maxima.T, strict=True)])
    nearest, rival, end_point = np.inf, int(floors.argmin()), 0.0
    for j in np.argsort(floors, kind="stable"):
        if floors[j] >= nearest:
            break
        y = maxima[:, j]
        if is_degenerate(y):
            a = float(y.max())
        elif restraint.can_end_beyond(y, margins[j] / nearest):
            a = restraint.fit(y).end_point
        else:
            continue
        if (distance := float(reach(margins[j], a))) < nearest:
            nearest, rival, end_point = distance, int(j), a
    return rival, end_point


def _status(distance: float, cap: float, shape: float | None, is_open: bool) -> Status:
    if distance >= cap:
        return "censored_at_radius"
    if shape is None:
        return "degenerate"
    return "no_finite_endpoint" if is_open else "ok"
