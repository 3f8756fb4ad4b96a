"""How long SimBA's steps are, at first and at most."""

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.threats.threat import Threat

FIRST_SHARE = 0.2  # of a feature's range: the step of the paper


def first_steps(x: Rows, threat: Threat, asked: float | None) -> tuple[Numbers, Numbers]:
    """Find each sample's first step and its widest, (n,): by the root mean square of what its features may range over.

    Where they may be anything, the features' own size, at least 1, stands for that.
    """
    flat = x.reshape(len(x), -1)
    low, high = (np.broadcast_to(side, x.shape).reshape(flat.shape) for side in threat.limits(x))
    size = np.sqrt(np.square(flat, dtype=np.float64).mean(axis=1))
    with np.errstate(over="ignore"):
        range_ = np.sqrt(np.square(np.subtract(high, low, dtype=np.float64)).mean(axis=1))
    widest = np.where(np.isfinite(range_), range_, np.maximum(1.0, size))
    return (FIRST_SHARE * widest if asked is None else np.full(len(x), asked)), widest
