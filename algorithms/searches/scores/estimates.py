"""Gradients estimated from answered rows: what losses at points nearby say of the slope between them.

Directions u_j (b, *shape) are one sample's; losses are float64 (`algorithms.searches.scores.margins`). A row that has
no loss, NaN, tells nothing: its direction is left out.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers

Directions = NDArray[np.float32]  # (b, *shape)


def antithetic(directions: Directions, ahead: Numbers, behind: Numbers, sigma: float) -> NDArray[np.float64]:
    """Estimate a gradient (*shape) as the mean of (L(x + sigma u_j) - L(x - sigma u_j)) / (2 sigma) u_j.

    For u_j ~ N(0, I) it has no bias on a linear loss (Ilyas et al. 2018, section 2.1; their n is 2b here), and for
    orthogonal u_j of length sqrt(b) it is its gradient exactly, within their span.
    """
    return _weighted((ahead - behind) / (2 * sigma), directions)


def one_sided(directions: Directions, ahead: Numbers, base: float, sigma: float) -> NDArray[np.float64]:
    """Estimate a gradient (*shape) as the mean of (L(x + sigma u_j) - L(x)) / sigma u_j (Tu et al. 2019, eq. 4).

    One row less than antithetic pairs for as many directions, and it takes curvature for slope.
    """
    return _weighted((ahead - base) / sigma, directions)


def _weighted(slopes: Numbers, directions: Directions) -> NDArray[np.float64]:
    known = np.where(np.isfinite(slopes), slopes, 0.0)
    flat = directions.reshape(len(directions), -1)
    return np.asarray((known @ flat / max(1, len(known))).reshape(directions.shape[1:]), np.float64)
