"""Tilings: a patch of numbers, the region, is laid over an image again and again, so that few numbers are searched in.

Du et al., AISec 2018, arXiv:1809.02918. A vector of features is one row of pixels: its region is a segment.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.windows import Canvas

LEAST = 32  # pixels: the authors' code draws sides of 32 to 149 for images of 299

ImageRows = NDArray[np.float32]  # (m, C, H, W)


@dataclass(frozen=True)
class Tiling:
    """A tiling tells each pixel of a canvas its place in a region: `down` (H,) and `across` (W,)."""

    canvas: Canvas
    down: NDArray[np.int64]
    across: NDArray[np.int64]

    @classmethod
    def of(cls, canvas: Canvas, side: int) -> "Tiling":
        """Make a tiling by a region of this side, cut to the canvas."""
        height, width = min(side, canvas.height), min(side, canvas.width)
        return cls(canvas, _tiled(height, canvas.height), _tiled(width, canvas.width))

    @property
    def side(self) -> int:
        """Tell the side in pixels."""
        return max(self.shape[1:])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Tell the shape of a patch: channels, height, width."""
        return self.canvas.channels, int(self.down.max()) + 1, int(self.across.max()) + 1

    def tile(self, patches: NDArray[np.float32]) -> ImageRows:
        """Make whole images of patches (b, C, h, w), laid as often as they fit, and mirrored on what is left."""
        return patches[:, :, self.down[:, None], self.across]


def sides_to_try(canvas: Canvas) -> NDArray[np.int64]:
    """List the sides that a warm-up draws from: up to half of the image's, as the authors do.

    Of images that are not much larger than their least region, from half to the whole: the few numbers of a smaller
    one reach few classes there (`benchmarks/input_free.py`).
    """
    whole = canvas.width if canvas.height == 1 else min(canvas.height, canvas.width)
    least = min(LEAST, -(-whole // 2))
    return np.arange(least, max(whole // 2, min(whole, 2 * LEAST)) + 1)


def _tiled(side: int, length: int) -> NDArray[np.int64]:
    """Which number of a side stands at each place of a length; half of what is left over comes before."""
    left = length % side
    return np.pad(np.tile(np.arange(side), length // side), (left // 2, left - left // 2), mode="symmetric")
