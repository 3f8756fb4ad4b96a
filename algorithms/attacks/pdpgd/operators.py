"""What shrinks changes by what their length costs: argmin over z of t D(z) + ||z - v||_2^2 / 2, for rows v (m, d).

D is ||z||_p; in l0 the sum of |z_i|^(2/3), whose operator moves a change or sets it to 0, as a count's would, and still
lets it go on from there (Matyasko & Chau 2021, section 3.3). No box is known here: as in the paper, it comes after.
"""

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Counting, Norm

ALIVE = 2 / 3 * 24**0.25  # times t^(3/4): the least change that 2/3 does not set to 0 (Cao, Sun & Xu 2013, eq. 13)


def shrink(changes: Numbers, threshold: Numbers, norm: Norm | Counting) -> Numbers:
    """Compute the operator of rows (m, d) with thresholds t (m,)."""
    t = threshold[:, None]
    if isinstance(norm, Counting):
        return _two_thirds(changes, t)
    if norm is Norm.L1:
        return np.asarray(np.sign(changes) * np.maximum(np.abs(changes) - t, 0.0))
    if norm is Norm.L2:
        sizes = np.sqrt((changes * changes).sum(axis=1, keepdims=True))
        return np.asarray(changes * np.maximum(1 - t / np.where(sizes > 0, sizes, 1.0), 0.0))
    return np.asarray(np.sign(changes) * np.minimum(np.abs(changes), _cap(np.abs(changes), t)))


def _cap(sizes: Numbers, t: Numbers) -> Numbers:
    """Find the length r (m, 1) above which changes are cut, by t in all: sum of max(|v_i| - r, 0) = t; 0 if by less."""
    ranked = -np.sort(-sizes, axis=1)
    caps = (np.cumsum(ranked, axis=1) - t) / np.arange(1, sizes.shape[1] + 1)  # if so many are cut
    cut = (ranked > caps).sum(axis=1, keepdims=True)  # the first ones: with those after, the cap would rise
    return np.maximum(np.take_along_axis(caps, np.maximum(cut, 1) - 1, axis=1), 0.0)


def _two_thirds(changes: Numbers, t: Numbers) -> Numbers:
    """Compute z of the largest root of z^(4/3) - |v| z^(1/3) + 2 t / 3 = 0, in closed form; 0 where 0 is better."""
    size = np.abs(changes)
    alive = size > ALIVE * t**0.75
    v, cost = np.where(alive, size, 1.0), np.where(alive, t, 0.0)
    root = np.sqrt(np.maximum(v**4 / 256 - 8 * cost**3 / 729, 0.0))
    b = 2 * (np.cbrt(v**2 / 16 + root) + np.cbrt(v**2 / 16 - root))
    z = ((np.sqrt(b) + np.sqrt(np.maximum(2 * v / np.sqrt(b) - b, 0.0))) / 2) ** 3
    return np.asarray(np.sign(changes) * np.where(alive, z, 0.0))
