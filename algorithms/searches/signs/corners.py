"""Corners of the box: the farthest points of a few signs, in the order in which blocks of them are flipped.

Where the box has none, being unbounded, radii that grow stand for them.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.searches.signs.blocks import Blocks
from algorithms.threats.threat import Threat

CORNERS = 8  # all up, all down, then each half and each quarter down
SMALLEST, GROWTH, RADII = 0.01, 2.0, 20  # of radii in an unbounded box, in sizes of the sample: up to 5 000 of them


def corners(x: Rows, threat: Threat) -> Iterator[tuple[NDArray[np.int8], Numbers]]:
    """List signs (d,), and radii (n,) with which they lead flat samples (n, d) as far as is valid."""
    if threat.box.is_bounded:
        farthest = np.asarray(threat.farthest(x), np.float64)
        yield from ((signs, farthest) for signs in _first_signs(x.shape[1]))
        return
    size = np.maximum(1.0, np.abs(x).max(axis=1)).astype(np.float64)
    up = np.ones(x.shape[1], np.int8)
    for step in range(RADII):
        radius = SMALLEST * GROWTH**step * size
        yield from ((up, radius), (-up, radius))


def _first_signs(d: int) -> Iterator[NDArray[np.int8]]:
    blocks, alone = Blocks(1, d), np.zeros(1, np.int64)
    yield np.ones(d, np.int8)
    for _ in range(CORNERS - 1):
        signs = np.ones((1, d), np.int8)
        blocks.flip(signs, alone)
        yield signs[0]
        if len(blocks.turn(alone)):
            return
