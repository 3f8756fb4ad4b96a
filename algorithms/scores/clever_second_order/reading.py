"""From a margin, its gradient and the downward curvature met in a ball to a distance."""

from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.extreme_value import OPEN, TOLD_SHAPES, is_degenerate
from algorithms.seam.claims import Details

LEVEL = 0.95  # of the interval


def reach(margins: Numbers | float, slopes: Numbers | float, curvatures: Numbers | float) -> Numbers:
    """Find the r with margin = slope r + curvature r^2 / 2, element by element: infinite where both are zero.

    A curvature below 0 counts as none. The root is (-slope + sqrt(slope^2 + 2 curvature margin)) / curvature, written
    so that a small curvature loses no digits.
    """
    below = slopes + np.sqrt(np.square(slopes) + 2 * np.maximum(curvatures, 0.0) * margins)
    flat = np.equal(below, 0)
    return np.where(flat, np.inf, 2 * np.asarray(margins) / np.where(flat, 1.0, below))


def crossing(margin: float, slope: float, center: float, away: Numbers, curvatures: Numbers) -> float:
    """Find the largest R that the curvatures (n,) met at distances (n,), and the sample's own, allow within R."""
    order = np.argsort(away, kind="stable")
    largest = np.maximum.accumulate(np.concatenate([[center], curvatures[order]]))
    shown = reach(margin, slope, largest)  # does not rise with the distance
    return float(np.minimum(shown, np.append(away[order], np.inf)).max())


@dataclass(frozen=True)
class Reading:
    """A reading is the least distance of some rivals, which of them it is, and what there is to say about it."""

    value: float
    rival: int  # position
    details: Details


def read(margins: Numbers, slopes: Numbers, met: Numbers, maxima: Numbers, radius: float) -> Reading:
    """Read batch maxima (batches, r) of curvature; `met` (r,) is the largest elsewhere in the ball."""
    met = np.maximum(np.maximum(met, maxima.max(axis=0)), 0.0)
    laws = [None if _is_flat(y) else TOLD_SHAPES.fit(y) for y in maxima.T]
    ends = np.maximum(met, [0.0 if law is None else law.end_point for law in laws])
    distances = reach(margins, slopes, ends)
    rival = int(distances.argmin())
    margin, slope, law, y = margins[rival], slopes[rival], laws[rival], maxima[:, rival]
    near, far = (ends[rival],) * 2 if law is None else TOLD_SHAPES.interval(y, level=LEVEL)
    interval = [min(float(reach(margin, slope, max(end, met[rival]))), radius) for end in (far, near)]
    details: Details = {
        "status": _status(float(distances[rival]), radius, law is None, far > OPEN * met[rival]),
        "interval": interval,
        "interval_level": LEVEL,
        "max_sample_score": min(float(reach(margins, slopes, met).min()), radius),
        "shape": None if law is None else law.shape,
        "end_point": float(ends[rival]),
        "max_curvature": float(met[rival]),
    }
    return Reading(min(float(distances[rival]), radius), rival, details)


def _is_flat(y: Numbers) -> bool:
    """No curvature leads down, or it is the same in all batches: there is no law to fit."""
    return bool(y.max() <= 0) or is_degenerate(y)


def _status(distance: float, radius: float, is_flat: bool, is_open: bool) -> str:
    if distance >= radius:
        return "censored_at_radius"
    if is_flat:
        return "constant_curvature"
    return "no_finite_endpoint" if is_open else "ok"
