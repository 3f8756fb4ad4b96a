"""The step of FAB: onto the hyperplane from the point and from the sample, mixed (Croce & Hein 2020, eq. 9 and 10)."""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.threats.threat import Threat

ALPHA_MAX = 0.1  # most of the sample's own step in the mixture (sec. 3.2)
TINY = 1e-12


def mixed(threat: Threat, points: Rows, x: Rows, gaps: Numbers, slopes: NDArray[np.float64], eta: float) -> Rows:
    """Compute P((1 - alpha) (x_i + eta delta_i) + alpha (x + eta delta_x)) of points x_i (m, d), P onto the box.

    The hyperplanes are where gap + <slope, change> = 0, gaps (m,) and slopes (m, d) seen from the points. A point
    without a slope stays.
    """
    x_i, samples = points.astype(np.float64), x.astype(np.float64)
    delta_i = threat.step_onto_plane(x_i, slopes, gaps)
    delta_x = threat.step_onto_plane(samples, slopes, gaps + ((samples - x_i) * slopes).sum(axis=1))
    here, there = threat.lengths(delta_i), threat.lengths(delta_x)
    alpha = np.minimum(here / np.maximum(here + there, TINY), ALPHA_MAX)[:, None]  # eq. 9
    moved = (1 - alpha) * (x_i + eta * delta_i) + alpha * (samples + eta * delta_x)
    found: Rows = threat.clip(np.where(slopes.any(axis=1, keepdims=True), moved, x_i), x)
    return found
