"""Offsets of l2 length 1: what every law of directions draws in the end."""

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.float32]


def make_unit(offsets: Offsets) -> None:
    """Scale each row (m, ...) to l2 length 1, in place; a row of zeros stays one."""
    flat = offsets.reshape(len(offsets), -1)
    square = np.einsum("ij,ij->i", flat, flat)
    flat *= (1 / np.sqrt(np.maximum(square, np.finfo(np.float32).tiny)))[:, None]
