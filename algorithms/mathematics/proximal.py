"""Proximal operators of norms, exact with the box: argmin over valid z of t ||z - x||_p + ||z - v||_2^2 / 2.

What shrinks a change by as much as its length costs (Parikh & Boyd, Proximal Algorithms, 2014, section 6.5). Rows are
flat, (m, d); thresholds t are (m,). x lies in the box. Every function works in the array namespace of what it is
handed, and treats each row by itself.
"""

from array_api_compat import array_namespace

from algorithms.mathematics.arrays import Array
from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import Norm

HALVINGS = 60  # of an interval in float64: to its last bit


def shrink(rows: Array, x: Array, threshold: Array, norm: Norm, lower: Array, upper: Array) -> Array:
    """Compute the operator of rows v (m, d): valid float32. In l1 small changes vanish, elsewhere small rows."""
    xp = array_namespace(rows)
    center = xp.astype(x, xp.float64)
    offset = xp.astype(rows, xp.float64) - center
    room = xp.where(offset > 0, xp.astype(upper, xp.float64) - center, center - xp.astype(lower, xp.float64))
    size = {Norm.L1: _l1, Norm.L2: _l2, Norm.LINF: _linf}[norm](xp.abs(offset), room, threshold)
    moved = xp.astype(center + xp.sign(offset) * size, xp.float32)
    moved = xp.where(size > 0, moved, xp.astype(x, xp.float32))
    return xp.minimum(xp.maximum(moved, lower), upper)


def _l1(size: Array, room: Array, threshold: Array) -> Array:
    """Soft thresholding, feature by feature: |z_i| = min(max(|v_i| - t, 0), c_i)."""
    xp = array_namespace(size)
    left = size - threshold[:, None]
    return xp.minimum(xp.where(left > 0, left, xp.zeros_like(left)), room)


def _l2(size: Array, room: Array, threshold: Array) -> Array:
    """|z_i| = min(s |v_i|, c_i), with the share s in [0, 1] for which s (||z|| + t) = ||z||; 0 where there is none."""
    xp = array_namespace(size)
    low, high = xp.zeros_like(threshold), xp.ones_like(threshold)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        length = lengths(xp.minimum(size * middle[:, None], room), Norm.L2)
        is_short = middle * (length + threshold) < length
        low, high = xp.where(is_short, middle, low), xp.where(is_short, high, middle)
    return xp.minimum(size * low[:, None], room)


def _linf(size: Array, room: Array, threshold: Array) -> Array:
    """|z_i| = min(|v_i|, r, c_i), with the least r for which what it cuts off, sum of |v_i| - r, is at most t."""
    xp = array_namespace(size)
    reach = xp.minimum(size, room)
    low, high = xp.zeros_like(threshold), xp.max(reach, axis=1)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        cut = xp.where(reach > middle[:, None], size - middle[:, None], xp.zeros_like(size))
        is_short = xp.sum(cut, axis=1) > threshold
        low, high = xp.where(is_short, middle, low), xp.where(is_short, high, middle)
    return xp.minimum(reach, low[:, None])
