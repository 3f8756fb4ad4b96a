"""Square's bumps, and what they weigh: the mass of a change is the sum of |.|^p over features, p that of the norm.

Andriushchenko et al. 2020, algorithm 3 and its supplement: a positive and a negative half, each a pyramid.
"""

from functools import cache
from typing import Literal

import numpy as np

from algorithms.mathematics.arrays import Numbers

Power = Literal[1, 2]  # p


def masses(delta: Numbers, power: Power) -> Numbers:
    """Sum the masses of each sample's change: (m, ...) -> (m,)."""
    return _row_masses(delta.reshape(len(delta), -1), power)


def window_masses(values: Numbers, power: Power) -> Numbers:
    """Sum the masses channel by channel: (m, C, h, w) -> (m, C, 1, 1)."""
    rows = values.reshape(-1, values.shape[2] * values.shape[3])
    return _row_masses(rows, power).reshape(*values.shape[:2], 1, 1)


def rooted(mass: Numbers, power: Power) -> Numbers:
    """Turn masses into lengths, by their p-th root."""
    return np.sqrt(mass) if power == 2 else mass


def _row_masses(rows: Numbers, power: Power) -> Numbers:
    """(m, d) -> (m,). A single long row would be summed in another order than one of many: it gets company."""
    many = np.broadcast_to(rows, (2, rows.shape[1])) if len(rows) == 1 else rows
    summed = np.einsum("ij,ij->i", many, many) if power == 2 else np.abs(many).sum(axis=1)
    return np.asarray(summed)[: len(rows)]


def signed_bumps(size: tuple[int, int], coins: Numbers, power: Power) -> Numbers:
    """Make bumps (m, C, h, w) by coins in [0, 1): a sample's first one turns all its bumps, the others are signs."""
    bump = _bump(*size, power)
    turned = np.where(coins[:, :1, None, None] < 0.5, bump.T, bump) if size[0] == size[1] else bump
    return np.asarray(np.where(coins[:, 1:, None, None] < 0.5, turned, -turned))


@cache
def _bump(height: int, width: int, power: Power) -> Numbers:
    """A positive and a negative half, each a pyramid, of norm 1: (height, width)."""
    if height == width == 1:
        return np.ones((1, 1))
    if height == 1:
        return _bump(width, 1, power).T
    upper = height // 2
    both = np.concatenate([_pyramid(upper, width, power), -_pyramid(height - upper, width, power)])
    return _of_norm_1(both, power)


def _pyramid(height: int, width: int, power: Power) -> Numbers:
    """Concentric rectangles, the k-th weighing 1/(k+1)^2, of norm 1."""
    rings = np.zeros((height, width))
    top, left = height // 2, width // 2
    for k in range(max(top, left) + 1):
        rows = slice(max(top - k, 0), min(top + k + 1, height))
        columns = slice(max(left - k, 0), min(left + k + 1, width))
        rings[rows, columns] += 1.0 / (k + 1) ** 2
    return _of_norm_1(rings, power)


def _of_norm_1(values: Numbers, power: Power) -> Numbers:
    size = np.sqrt(np.square(values).sum()) if power == 2 else np.abs(values).sum()
    return np.asarray(values / size)
