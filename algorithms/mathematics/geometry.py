"""Lengths and distances, the balls they make, random points of those balls, and the way uphill.

Every function but `distance` works in the array namespace of what it is handed, numpy or torch, and each row by itself.
"""

import math
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from algorithms.mathematics.norms import Counting, Norm

TINY = np.finfo(np.float64).tiny

Law = Literal["radial", "uniform"]


def lengths(rows: Any, norm: Norm | Counting, pixels: NDArray[np.int64] | None = None) -> Any:
    """Measure each row, (m, *shape) -> (m,) float64: ||row||_p, or how many of its features are not 0.

    `pixels` (as many as there are features): the number of each one's pixel; a count is then one of pixels.
    """
    xp = array_namespace(rows)
    flat = xp.abs(xp.astype(xp.reshape(rows, (rows.shape[0], -1)), xp.float64))  # (m, d)
    if isinstance(norm, Counting):
        return xp.sum(xp.astype(xp.any(by_pixel(flat > 0, pixels), axis=2), xp.float64), axis=1)
    if norm is Norm.L1:
        return xp.sum(flat, axis=1)
    return xp.max(flat, axis=1) if norm is Norm.LINF else xp.sqrt(xp.sum(flat * flat, axis=1))


def by_pixel(flat: Any, pixels: NDArray[np.int64] | None) -> Any:
    """Lay rows (m, d) out by pixels, (m, p, d / p); None: each feature is a pixel of its own."""
    xp = array_namespace(flat)
    if pixels is None:
        return flat[:, :, None]
    order = np.argsort(np.ravel(pixels), kind="stable")
    count = int(np.max(pixels)) + 1
    return xp.reshape(xp.take(flat, xp.asarray(order), axis=1), (flat.shape[0], count, order.size // count))


def distance(x: NDArray[Any], y: NDArray[Any], norm: Norm | Counting, pixels: NDArray[np.int64] | None = None) -> float:
    """Measure x - y, the difference in float64 of two samples (*shape).

    As `lengths` has it to the bit. Asked point by point, and looking for an array namespace takes longer than the sum.
    """
    away = np.abs(x.astype(np.float64) - y).ravel()
    if isinstance(norm, Counting):
        return float(np.count_nonzero(by_pixel(away[None], pixels).any(axis=2)))
    if norm is Norm.L1:
        return float(away.sum())
    return float(away.max()) if norm is Norm.LINF else math.sqrt((away * away).sum())


def clip(rows: Any, lower: Any, upper: Any, *, out: NDArray[np.float32] | None = None) -> Any:
    """Move each feature of the rows that lies outside to the nearer end: float32. The ends broadcast to the rows."""
    if out is not None:  # in place two passes are faster than np.clip, most of all where the ends are arrays
        return np.minimum(np.maximum(rows, lower, out=out), upper, out=out)
    if isinstance(rows, np.ndarray):
        return np.clip(rows, lower, upper, dtype=np.float32)
    xp = array_namespace(rows)
    return xp.minimum(xp.maximum(xp.astype(rows, xp.float32), lower), upper)


def ascent_direction(gradients: Any, norm: Norm) -> Any:
    """Find the directions (m, *shape) float64 in which losses with these gradients rise most steeply; 0 for 0.

    In linf the signs, in l2 the gradient at length 1. In l1 the steepest step moves one feature only; the gradient
    itself, its largest feature 1, leaves it to the exact projection onto the ball which features are kept. Where a
    gradient is no finite number it leads nowhere, and is taken for 0.
    """
    xp = array_namespace(gradients)
    flat = xp.astype(gradients, xp.float64)
    flat = xp.where(xp.isfinite(flat), flat, xp.zeros_like(flat))
    if norm is Norm.LINF:
        return xp.sign(flat)
    size = lengths(flat, Norm.L2 if norm is Norm.L2 else Norm.LINF)
    return flat / xp.reshape(xp.where(size > 0, size, xp.ones_like(size)), (-1, *(1,) * (flat.ndim - 1)))


def inner_radius(inner: Norm, outer: Norm, radius: float, dimension: int) -> float:
    """Find the radius of the largest inner-norm ball within an outer-norm ball: R * min(1, d^(1/p - 1/q)).

    p is the inner norm, q the outer one: ||x||_q <= ||x||_p where p <= q, else ||x||_q <= d^(1/q - 1/p) ||x||_p.
    """
    return float(radius * min(1.0, float(dimension) ** (1.0 / inner.p - 1.0 / outer.p)))


def sample_ball(
    rng: np.random.Generator,
    m: int,
    shape: tuple[int, ...],
    *,
    norm: Norm,
    radius: float,
    law: Law,
) -> NDArray[np.float32]:
    """Draw offsets (m, *shape) from the ball around 0: a direction of the norm's sphere times a radius.

    Directions follow the cone measure. The radius is Uniform(0, R) under `radial`, so that all scales are met, and
    R * U^(1/d) under `uniform`, which makes the points uniform in volume: P(||x||_p <= t R) = t^d.
    """
    d = math.prod(shape)
    directions = _raw_directions(rng, m, d, norm)  # (m, d)
    share = rng.random(m)
    reach = radius * (share if law == "radial" else share ** (1.0 / d))
    # A float32 draw may be exactly 0 where d is 1: such a point stays at the center instead of becoming NaN.
    scale = reach / np.maximum(lengths(directions, norm), TINY)
    return np.asarray(directions * scale[:, None], np.float32).reshape(m, *shape)


def sample_sphere(
    rng: np.random.Generator, m: int, shape: tuple[int, ...], *, norm: Norm, radius: float
) -> NDArray[np.float64]:
    """Draw offsets (m, *shape) of just this length, their directions by the cone measure."""
    offsets = sample_ball(rng, m, shape, norm=norm, radius=1.0, law="uniform").astype(np.float64)
    sizes = np.maximum(lengths(offsets, norm), TINY).reshape(-1, *(1,) * len(shape))
    return np.asarray(radius * offsets / sizes)


def _raw_directions(rng: np.random.Generator, m: int, d: int, norm: Norm) -> NDArray[np.float32]:
    """Vectors (m, d) whose directions follow the cone measure of the norm's sphere; their lengths mean nothing.

    The densities prop. to exp(-|t|), exp(-t^2/2) and 1[|t| < 1] depend on the point through its norm alone.
    """
    if norm is Norm.L2:
        return rng.standard_normal((m, d), dtype=np.float32)
    if norm is Norm.LINF:
        return 2 * rng.random((m, d), dtype=np.float32) - 1
    signs = np.where(rng.random((m, d), dtype=np.float32) < 0.5, np.float32(-1), np.float32(1))
    return signs * rng.standard_exponential((m, d), dtype=np.float32)
