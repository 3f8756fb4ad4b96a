"""Ordinary rows to try a model with before anybody's samples are there."""

import numpy as np

from algorithms.seam.access import Rows

COUNT = 16


def rows(shape: tuple[int, ...], count: int = COUNT) -> Rows:
    """Draw rows, half uniform in [0, 1] as images are, half standard normal as scaled tables are: (count, *shape)."""
    rng = np.random.Generator(np.random.Philox(0))
    images = rng.random((count - count // 2, *shape), np.float32)
    return np.concatenate([images, rng.standard_normal((count // 2, *shape), np.float32)])
