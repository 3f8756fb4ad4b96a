"""Gradients estimated from answered rows: what losses at points nearby say of the slope between them.

Directions u_j (..., b, *shape) are those of one sample, or of several along the leading axes; losses (..., b) are
float64 (`algorithms.searches.scores.margins`). A row that has no loss, NaN, tells nothing: its direction is left out.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers

Directions = NDArray[np.float32]  # (..., b, *shape)
Estimate = NDArray[np.float64]  # (..., *shape)


def antithetic(directions: Directions, ahead: Numbers, behind: Numbers, sigma: Any) -> Estimate:
    """Estimate a gradient as the mean of (L(x + sigma u_j) - L(x - sigma u_j)) / (2 sigma) u_j.

    sigma: a number or (...). For u_j ~ N(0, I) it has no bias on a linear loss (Ilyas et al. 2018, section 2.1; their n
    is 2b here), and for orthogonal u_j of length sqrt(b) it is its gradient exactly, within their span.
    """
    return _weighted((ahead - behind) / (2 * np.asarray(sigma))[..., None], directions)


def one_sided(directions: Directions, ahead: Numbers, base: Any, sigma: Any) -> Estimate:
    """Estimate a gradient as the mean of (L(x + sigma u_j) - L(x)) / sigma u_j (Tu et al. 2019, eq. 4).

    `base` and sigma: a number or (...). One row less than antithetic pairs for as many directions, and it takes
    curvature for slope.
    """
    return _weighted((ahead - np.asarray(base)[..., None]) / np.asarray(sigma)[..., None], directions)


def _weighted(slopes: Numbers, directions: Directions) -> Estimate:
    """The mean of slope times direction. Slopes are scaled to 1, so that float32 holds them beside the directions."""
    known = np.where(np.isfinite(slopes), slopes, 0.0)
    size = np.abs(known).max(axis=-1, keepdims=True)
    weights = (known / np.where(size > 0, size, 1.0)).astype(np.float32)
    flat = directions.reshape(*slopes.shape, -1)  # (..., b, d)
    total = np.matmul(weights[..., None, :], flat)[..., 0, :]
    mean: Estimate = total * (size / slopes.shape[-1])
    return mean.reshape(*slopes.shape[:-1], *directions.shape[slopes.ndim :])
