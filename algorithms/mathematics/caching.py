"""Rows walked through in parts that stay in a core's cache: steps that follow one another find the numbers near."""

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CACHED = 2**18  # numbers of a part, 1 MiB


def in_cache(rows: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield views (k, ...) of rows (m, ...), one part after the other.

    Never a single row where there are more: the squares of one alone are summed in another order.
    """
    size = max(2, CACHED // max(1, math.prod(rows.shape[1:])))
    for start, end in pairwise((0, *range(size, len(rows) - 1, size), len(rows))):
        yield rows[start:end]
