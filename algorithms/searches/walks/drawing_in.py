"""Points drawn into balls that hold the sample, along the straight line or by cutting: cheaper than a projection."""

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Rows
from algorithms.threats.threat import Threat


def drawn_in(points: Rows, x: Rows, radius: Numbers, threat: Threat) -> Rows:
    """Bring valid points (m, C, H, W) into balls around x: in l2 by the change's length, in linf by cutting it."""
    if threat.norm is Norm.LINF:
        low, high = threat.hull(x, radius.astype(np.float32)[:, None, None, None])
        return np.asarray(np.minimum(np.maximum(points, low), high))
    change = np.subtract(points, x)
    size = threat.lengths(change)
    scale = np.where(size > radius, radius / np.maximum(size, np.finfo(np.float64).tiny), 1.0)
    return np.asarray(threat.clip(x + scale.astype(np.float32)[:, None, None, None] * change, x))
