"""Images made of few coefficients by a matrix for each axis: what low frequencies and coarse grids have in common."""

import numpy as np

from algorithms.mathematics.windows import Canvas
from algorithms.searches.directions.unit import Offsets


def images(coefficients: Offsets, canvas: Canvas, down: Offsets, across: Offsets) -> Offsets:
    """Compute down^T c across of each channel's coefficients c: (m, C, u, v) -> (m, C, H, W), (m, H, W, C) of a canvas
    whose channels come last. `down` is (u, H), `across` (v, W).
    """
    made = np.asarray(down.T @ coefficients @ across, np.float32)  # (m, C, H, W)
    return np.moveaxis(made, 1, -1) if canvas.channels_last else made
