"""Which coordinates are looked at next: drawn without replacement, those that have moved the more often.

Chen et al., AISec 2017, sections 3.4 (stochastic coordinates) and 3.6 (importance sampling).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers

Coordinates = NDArray[np.int64]  # (m, B)


def draw(rngs: Sequence[np.random.Generator], weights: Numbers | None, size: int, wanted: int) -> Coordinates:
    """Draw so many of `size` coordinates for each of m samples, (m, B): none twice, all of them where more are wanted.

    `weights` (m, size) above 0 say how likely each is to be the first one drawn; None: all alike. The least of
    exponential waiting times are taken, each divided by its weight (Efraimidis & Spirakis 2006).
    """
    if wanted >= size:
        return np.broadcast_to(np.arange(size), (len(rngs), size))
    drawn = np.stack([rng.random(size, dtype=np.float32) for rng in rngs])  # (m, size)
    waiting = drawn if weights is None else -np.log1p(-drawn) / weights
    return np.argpartition(waiting, wanted, axis=1)[:, :wanted]


def weighted(moved: Numbers, even_share: float) -> Numbers:
    """Turn how far coordinates have moved (m, D) into weights (m, D) of sum 1, a share of it spread evenly.

    Without that share a coordinate that has not moved would never be drawn, and at the sample none has.
    """
    total = moved.sum(axis=1, keepdims=True)
    has_moved = total > 0
    shares = np.where(has_moved, moved / np.where(has_moved, total, 1.0), 1 / moved.shape[1])
    return np.asarray((1 - even_share) * shares + even_share / moved.shape[1])
