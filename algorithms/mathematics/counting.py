"""Balls of a count around x, within a box: the nearest point of one, points of it, and what changes can gain at most.

Rows are flat, (m, d), in numpy. In a ball of radius k at most k features of x are changed, each to any valid value; or
at most k pixels, all of whose features are. `pixels` (d of them, or None) number each feature's pixel, as in
`algorithms.mathematics.geometry.by_pixel`.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.geometry import by_pixel

BEHIND = 1.02  # times what leads to a boundary, to lie behind it
FAR = 100.0  # times its own size, or 1: how far a value is drawn that has no end

Pixels = NDArray[np.int64] | None
Rows = NDArray[np.float32]


def project(rows: Rows, x: Rows, count: Numbers, lower: Rows, upper: Rows, pixels: Pixels) -> Rows:
    """Find the valid points (m, d) with at most `count` (m,) changes of x that are nearest to the rows in l2.

    What is kept is moved into the box. Keeping a feature that wants to move by v and may move by c saves
    v^2 - (v - c)^2; the largest savings are kept, of equal ones the first.
    """
    wanted = rows.astype(np.float64) - x
    allowed = np.minimum(np.maximum(rows, lower), upper).astype(np.float32)
    saved = wanted**2 - (rows - allowed.astype(np.float64)) ** 2
    kept = largest(by_pixel(saved, pixels).sum(axis=2), count)
    return np.where(spread(kept, pixels), allowed, x)


def largest(values: Numbers, count: Numbers) -> Mask:
    """Mark of each row (m, p) the `count` (m,) largest values above 0, of equal ones the first."""
    most = np.clip(np.floor(count), 0, values.shape[1]).astype(np.int64)
    ranked = -np.sort(-values, axis=1)
    last = np.take_along_axis(ranked, np.maximum(most - 1, 0)[:, None], axis=1)
    above, tied = values > last, values == last
    room = most[:, None] - above.sum(axis=1, keepdims=True)
    return np.asarray((above | (tied & (np.cumsum(tied, axis=1) <= room))) & (values > 0))


def spread(of_pixels: Mask, pixels: Pixels) -> Mask:
    """Tell of each feature (m, d) what is told of its pixel (m, p)."""
    return of_pixels if pixels is None else of_pixels[:, np.ravel(pixels)]


def gains(slopes: Numbers, x: Rows, lower: Rows, upper: Rows) -> Numbers:
    """Tell by how much a linear function with these slopes grows at most where each feature alone is changed, (m, d).

    0 where a slope is 0; infinite where it may be followed for ever.
    """
    room = np.where(slopes > 0, upper - x.astype(np.float64), x.astype(np.float64) - lower)
    return np.abs(slopes) * np.where(slopes == 0, 0.0, room)


def crossing(
    slopes: Numbers, missing: Numbers, count: Numbers, x: Rows, lower: Rows, upper: Rows, pixels: Pixels
) -> Rows:
    """Find the valid points (m, d) with `count` (m,) changes at which linear functions with these slopes are largest.

    Where a feature may be followed for ever, it is moved a little farther than makes up for what is `missing` (m,).
    """
    kept = spread(largest(by_pixel(gains(slopes, x, lower, upper), pixels).sum(axis=2), count), pixels)
    end = np.where(slopes > 0, upper, lower)
    alone = BEHIND * missing[:, None] / np.where(slopes == 0, 1.0, slopes)
    there = np.where(np.isfinite(end), end, x + alone).astype(np.float32)
    return np.where(kept & (slopes != 0), there, x)


def fewest(slopes: Numbers, missing: Numbers, x: Rows, lower: Rows, upper: Rows, pixels: Pixels) -> Numbers:
    """Count the fewest changes (m,) by which a linear function grows by more than is `missing` (m,); inf: by none."""
    ranked = -np.sort(-by_pixel(gains(slopes, x, lower, upper), pixels).sum(axis=2), axis=1)
    grown = np.cumsum(ranked, axis=1)
    enough = grown > missing[:, None]
    return np.where(enough.any(axis=1), 1.0 + np.argmax(enough, axis=1), np.inf)


def smooth_slopes(changes: Numbers, sigma: float, pixels: Pixels) -> Numbers:
    """Differentiate the smooth count of changes (m, d), the mean over pixels of s / (s + sigma), by the changes.

    s is the sum of a pixel's squares (Cinà et al. 2025, eq. 5, where each feature is a pixel).
    """
    squares = by_pixel(changes**2, pixels).sum(axis=2)
    steep = 2 * sigma / (squares + sigma) ** 2 / squares.shape[1]
    return np.asarray(changes * (steep if pixels is None else steep[:, np.ravel(pixels)]))


def small(changes: Numbers, threshold: Numbers, pixels: Pixels) -> Mask:
    """Mark the changes (m, d) of pixels none of which is as large as the row's threshold (m,)."""
    return spread(by_pixel(np.abs(changes), pixels).max(axis=2) < threshold[:, None], pixels)


def weights(changes: Numbers, slopes: Numbers, pixels: Pixels) -> Numbers:
    """Weigh the pixels (m, p) of changes (m, d): sum |change| times sum |slope|, over channels; above 0 where any is.

    Carlini & Wagner, S&P 2017, section VI-B, where changes are summed with their signs.
    """
    moved, steep = (by_pixel(np.abs(rows), pixels).sum(axis=2) for rows in (changes, slopes))
    return np.where(moved > 0, np.maximum(moved * steep, np.finfo(np.float64).tiny), 0.0)


def draw(rng: np.random.Generator, m: int, x: Rows, count: float, lower: Rows, upper: Rows, pixels: Pixels) -> Rows:
    """Draw valid points (m, d) that change `count` features, or pixels, of one sample x (1, d), chosen by lot.

    Each value is as likely uniform between the feature's ends as one of these ends, which it is not at already.
    """
    inner = x.astype(np.float64)
    reach = FAR * np.maximum(1.0, np.abs(inner))
    low = np.where(np.isfinite(lower), lower, inner - reach)
    high = np.where(np.isfinite(upper), upper, inner + reach)
    places, kind, share = (
        rng.random((m, by_pixel(x, pixels).shape[1])),
        rng.random((m, x.shape[1])),
        rng.random((m, x.shape[1])),
    )
    end = np.where((kind < 0.25) & (inner != low) | (inner == high), low, high)
    values = np.where(kind < 0.5, end, low + share * (high - low)).astype(np.float32)
    chosen = places.argsort(axis=1).argsort(axis=1) < count
    return np.where(spread(chosen, pixels), np.minimum(np.maximum(values, lower), upper), x)


def fewer(points: Rows, x: Rows, count: Numbers, order: Numbers, pixels: Pixels) -> Rows:
    """Keep `count` (m,) of each point's changes (m, d): those with the largest `order` (m, d), numbers above 0."""
    changed = by_pixel(np.where(points != x, order, 0.0), pixels).max(axis=2)
    return np.where(spread(largest(changed, count), pixels), points, x)
