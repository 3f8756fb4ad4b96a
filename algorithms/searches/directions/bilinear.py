"""Coarse grids: offsets of few numbers, resized bilinearly (Tu et al., AutoZOOM, AAAI 2019, arXiv:1805.11770)."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from algorithms.mathematics.windows import Canvas
from algorithms.searches.directions.separable import images
from algorithms.searches.directions.unit import Offsets, make_unit

LARGEST_GRID = 32  # of large images, unless told otherwise (Tu et al. 2019, section on ImageNet)


@dataclass(frozen=True)
class Bilinear:
    """Images are drawn that a grid of Gaussian numbers makes when it is resized, each channel for itself.

    `down` (u, height) and `across` (v, width) resize one axis each. The law is even, and prefers directions: a grid's
    corners weigh less than its middle.
    """

    canvas: Canvas
    down: Offsets
    across: Offsets

    @classmethod
    def of(cls, shape: tuple[int, ...], grid: int | None) -> Self:
        """Take a grid of so many points an axis, or as many as the axis has where those are fewer.

        None: half of what the axis has, at most 32, which are the papers' sizes for MNIST and ImageNet.
        """
        canvas = Canvas.of(shape)
        return cls(canvas, resizing(canvas.height, grid), resizing(canvas.width, grid))

    def dimensions(self, d: int) -> int:
        """Count the dimensions of the space that is drawn from."""
        del d
        return self.canvas.channels * len(self.down) * len(self.across)

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw offsets (m, *shape) into `out`."""
        size = (len(out), self.canvas.channels, len(self.down), len(self.across))
        coefficients = rng.standard_normal(size, dtype=np.float32)
        out[...] = images(coefficients, self.canvas, self.down, self.across).reshape(out.shape)
        make_unit(out)


def resizing(n: int, grid: int | None) -> Offsets:
    """Compute the matrix (g, n) that resizes g numbers to n linearly, the first on the first and the last on the last.

    g is min(grid, n), or of None the half of n, at most 32. One number is spread evenly.
    """
    g = min(n, max(1, min(n // 2, LARGEST_GRID)) if grid is None else grid)
    at = np.linspace(0, g - 1, n)  # where the n stand on the grid: both ends aligned
    return np.asarray(np.maximum(0, 1 - np.abs(np.arange(g)[:, None] - at)), np.float32)
