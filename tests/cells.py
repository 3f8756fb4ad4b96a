"""The nearest adversarial input of a small ReLU network on two features, by all of its cells: no solver, no bound.

Where every unit keeps its sign the network is affine, and the cell is a convex polygon: the box, cut by one line a
unit. In each cell the part where a rival wins is cut out once more, and the distance of the sample from that polygon is
that of its sides, on each of which a norm is convex: in l1 and linf straight between a few points.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.norms import Norm

Array = NDArray[np.float64]
Layer = tuple[Array, Array]  # weights (n, m), bias (n,)


def least_distance(
    layers: Sequence[Layer],
    x: Array,
    label: int,
    norm: Norm,
    box: tuple[float, float] = (0, 1),
    target: int | None = None,
) -> float:
    """Of a sample (2,) from the nearest input of the box at which `label` does not win, or the target does."""
    low, high = box
    whole = np.array([[low, low], [high, low], [high, high], [low, high]], np.float64)
    classes = len(layers[-1][1])
    found = np.inf
    for polygon, (w, b) in _cells(whole, layers):
        for parts in (
            [[(j, label)] for j in range(classes) if j != label]
            if target is None
            else [[(target, j) for j in range(classes) if j != target]]
        ):
            part = polygon
            for winner, loser in parts:
                part = cut(part, w[winner] - w[loser], b[winner] - b[loser])
            found = min(found, distance(part, x, norm))
    return found


def _cells(polygon: Array, layers: Sequence[Layer]) -> Iterator[tuple[Array, Layer]]:
    """Each cell with the affine map that the network is there."""

    def split(part: Array, before: Layer, depth: int, unit: int, signs: list[bool]) -> Iterator[tuple[Array, Layer]]:
        if not len(part):
            return
        weights, bias = layers[depth]
        w, b = weights @ before[0], weights @ before[1] + bias
        if depth == len(layers) - 1:
            yield part, (w, b)
        elif unit == len(b):
            on = np.array(signs, np.float64)
            yield from split(part, (on[:, None] * w, on * b), depth + 1, 0, [])
        else:
            for sign in (True, False):
                side = 1.0 if sign else -1.0
                yield from split(cut(part, side * w[unit], side * b[unit]), before, depth, unit + 1, [*signs, sign])

    yield from split(polygon, (np.eye(2), np.zeros(2)), 0, 0, [])


def cut(polygon: Array, w: Array, b: float) -> Array:
    """The part of a convex polygon (n, 2) where w.x + b >= 0 (Sutherland and Hodgman 1974)."""
    kept = []
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        at_start, at_end = start @ w + b, end @ w + b
        if at_start >= 0:
            kept.append(start)
        if (at_start >= 0) != (at_end >= 0):
            kept.append(start + (end - start) * at_start / (at_start - at_end))
    return np.array(kept).reshape(-1, 2)


def distance(polygon: Array, x: Array, norm: Norm) -> float:
    """Of a point from a convex polygon (n, 2) that does not hold it; inf where there is none."""
    if not len(polygon):
        return np.inf
    starts, ends = polygon - x, np.roll(polygon, -1, axis=0) - x
    steps = ends - starts
    # shares of the way along a side at which a norm may be least: where a coordinate is 0, or both are equally large
    tops = np.stack([-starts[:, 0], -starts[:, 1], starts[:, 1] - starts[:, 0], -starts[:, 1] - starts[:, 0]], 1)
    falls = np.stack([steps[:, 0], steps[:, 1], steps[:, 0] - steps[:, 1], steps[:, 0] + steps[:, 1]], 1)
    shares = np.where(falls == 0, 0.0, tops / np.where(falls == 0, 1.0, falls))
    squares = (steps**2).sum(1)
    nearest = np.where(squares == 0, 0.0, -(starts * steps).sum(1) / np.where(squares == 0, 1.0, squares))
    shares = np.clip(np.concatenate([shares, nearest[:, None], np.zeros((len(polygon), 1))], 1), 0, 1)
    points = starts[:, None] + shares[:, :, None] * steps[:, None]
    return float(np.linalg.norm(points, norm.p, axis=2).min())
