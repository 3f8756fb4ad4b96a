"""What gradients said while a cohort climbed: whether a climb came to rest, and whether there was anything to climb.

First-order stationarity (Wang et al., ICML 2019): how much a linear model would still gain, as a share.
FOSC = r ||g||_q - <x_t - x, g>, over r ||g||_q: 0 at a stationary point of the ball, 1 at the sample.
"""

import numpy as np
from array_api_compat import array_namespace

from algorithms.mathematics.arrays import Array, Numbers
from algorithms.seam.claims import Details
from algorithms.seam.question import Owners
from algorithms.searches.tallies.successes import on_host
from algorithms.threats.threat import Threat


class Stationarity:
    """A stationarity remembers of each of n samples its last point's FOSC, and how many gradients were zero."""

    def __init__(self, n: int) -> None:
        self._fosc = np.full(n, np.nan)
        self._zero, self._seen = np.zeros(n, np.int64), np.zeros(n, np.int64)

    def see(self, owners: Owners, offsets: Array, slopes: Array, radius: Numbers, threat: Threat) -> None:
        """Take in gradients (m, *shape) at points with these offsets (m, d) from their samples, within radii (m,)."""
        xp = array_namespace(offsets)
        flat = xp.reshape(slopes, offsets.shape)
        reach = radius * on_host(threat.dual_lengths(flat))
        gained = on_host(xp.sum(xp.astype(offsets * flat, xp.float64), axis=1))
        self._fosc[owners] = np.where(reach > 0, 1 - gained / np.where(reach > 0, reach, 1.0), 0.0)
        self._zero[owners] += ~(reach > 0)  # NaN leads no more than 0 does
        self._seen[owners] += 1

    def of(self, owner: int) -> Details:
        """Tell how stationary one sample's last point was, and how often its gradient was zero."""
        share = float(self._zero[owner] / max(1, self._seen[owner]))
        return {"fosc": self.fosc(owner), "zero_gradient_share": share}

    def fosc(self, owner: int) -> float | None:
        """Tell how stationary one sample's last point was; None where no gradient was seen."""
        return None if np.isnan(self._fosc[owner]) else float(self._fosc[owner])
