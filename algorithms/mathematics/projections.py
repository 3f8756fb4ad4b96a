"""Exact Euclidean projections on (norm ball around x) intersected with (box), for many rows at once.

Every function works in the array namespace of what it is handed, and treats each row by itself. Rows are flat,
(m, d); radii are (m,). x lies in the box, so that 0 is always a valid offset.
"""

from array_api_compat import array_namespace

from algorithms.mathematics.arrays import Array
from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import Norm

ROUNDING = 2.0**-24  # half a unit in the last place of float32, relative


def project(rows: Array, x: Array, radius: Array, norm: Norm, lower: Array, upper: Array) -> Array:
    """Find the nearest points z (m, d) float32 with ||z - x||_p <= radius and lower <= z <= upper, rounding included.

    The radius is shortened by the most that rounding x + offset to float32 can add: 2^-24 (||x||_p + radius).
    """
    xp = array_namespace(rows)
    center = xp.astype(x, xp.float64)
    low = xp.astype(lower, xp.float64) - center  # <= 0
    high = xp.astype(upper, xp.float64) - center  # >= 0
    offset = xp.astype(rows, xp.float64) - center
    inner = short_of_rounding(radius, lengths(center, norm))
    onto = {Norm.LINF: _onto_linf, Norm.L2: _onto_l2, Norm.L1: _onto_l1}[norm]
    moved = xp.astype(center + onto(offset, inner, low, high), xp.float32)
    return xp.minimum(xp.maximum(moved, lower), upper)


def short_of_rounding(radius: Array, size: Array) -> Array:
    """Shorten radii (m,) by what rounding to float32 may add around centers of these lengths (m,); at least 0."""
    xp = array_namespace(radius)
    inner = radius - ROUNDING * (size + radius)
    return xp.where(inner > 0, inner, xp.zeros_like(inner))


def _clip(offset: Array, low: Array, high: Array) -> Array:
    xp = array_namespace(offset)
    return xp.minimum(xp.maximum(offset, low), high)


def _onto_linf(offset: Array, radius: Array, low: Array, high: Array) -> Array:
    return _clip(_clip(offset, -radius[:, None], radius[:, None]), low, high)


def _onto_l2(offset: Array, radius: Array, low: Array, high: Array) -> Array:
    """argmin ||z - v|| has the form z = clip(s v, low, high) with one s in [0, 1] a row (KKT).

    s = sqrt((r^2 - sum of clipped c^2) / sum of free v^2), where the clipped set only grows with s, so this ends.
    """
    xp = array_namespace(offset)
    size = xp.abs(offset)
    room = xp.where(offset > 0, high, -low)  # how far each coordinate may go
    zero = xp.zeros_like(size)
    outside = (lengths(xp.minimum(size, room), Norm.L2) > radius)[:, None]
    clipped = size > xp.full_like(size, xp.inf)
    while True:
        fixed = xp.sum(xp.where(clipped, room * room, zero), axis=1)
        free = xp.sum(xp.where(clipped, zero, size * size), axis=1)
        left = radius * radius - fixed
        scale = xp.sqrt(xp.where(left > 0, left, 0 * left) / xp.where(free > 0, free, 0 * free + 1))
        scale = xp.where(outside, scale[:, None], 0 * zero + 1)
        more = outside & (scale * size > room) & ~clipped
        if not bool(xp.any(more)):
            return _clip(offset * scale, low, high)
        clipped = clipped | more


def _onto_l1(offset: Array, radius: Array, low: Array, high: Array) -> Array:
    """argmin ||z - v|| has the form |z_i| = min(max(|v_i| - t, 0), c_i) with one t >= 0 a row (KKT).

    S(t) = sum of those is piecewise linear with knots at |v_i| and |v_i| - c_i; sort them, find the piece where
    S(t) = r, solve it.
    """
    xp = array_namespace(offset)
    size = xp.abs(offset)
    room = xp.where(offset > 0, high, -low)
    falls = xp.where(size > room, size - room, xp.zeros_like(size))  # beyond t = 0 nothing matters
    knots = xp.concat([size, falls], axis=1)  # (m, 2d)
    slopes = xp.concat([xp.ones_like(size), -xp.ones_like(size)], axis=1)
    order = xp.argsort(-knots, axis=1)
    knots = xp.take_along_axis(knots, order, axis=1)
    slope = xp.cumulative_sum(xp.take_along_axis(slopes, order, axis=1), axis=1)  # of S, as t falls past each knot
    gained = slope[:, :-1] * (knots[:, :-1] - knots[:, 1:])
    total = xp.concat([xp.zeros_like(knots[:, :1]), xp.cumulative_sum(gained, axis=1)], axis=1)  # S at each knot
    piece = xp.sum(xp.astype(total <= radius[:, None], xp.int64), axis=1) - 1  # the last knot still inside
    at = piece[:, None]
    knot, sum_, rise = (xp.take_along_axis(a, at, axis=1)[:, 0] for a in (knots, total, slope))
    rise = xp.where(rise > 0, rise, xp.ones_like(rise))
    threshold = knot - (radius - sum_) / rise
    inside = xp.sum(xp.minimum(size, room), axis=1) <= radius
    threshold = xp.where(inside | (threshold < 0), xp.zeros_like(threshold), threshold)
    kept = size - threshold[:, None]
    return _clip(xp.sign(offset) * xp.where(kept > 0, kept, xp.zeros_like(kept)), low, high)
