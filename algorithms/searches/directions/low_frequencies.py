"""Low frequencies: images without fine detail (Li et al., QEBA, CVPR 2020, arXiv:2005.14137; Guo et al. 2019)."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from algorithms.mathematics.windows import Canvas
from algorithms.searches.directions.separable import images
from algorithms.searches.directions.unit import Offsets, make_unit


@dataclass(frozen=True)
class LowFrequencies:
    """Images without fine detail are drawn: the span of the first cosines along both axes, each channel for itself.

    `down` (u, height) and `across` (v, width) are the first rows of the orthonormal DCT-II matrices, so that unit
    coefficients make unit images.
    """

    canvas: Canvas
    down: Offsets
    across: Offsets

    @classmethod
    def of(cls, shape: tuple[int, ...], share: float) -> Self:
        """Take the lowest `share` of the frequencies of each axis, at least one. A vector of features has one axis."""
        canvas = Canvas.of(shape)
        return cls(canvas, cosines(canvas.height, share), cosines(canvas.width, share))

    def dimensions(self, d: int) -> int:
        """Count the dimensions of the space that is drawn from."""
        del d
        return self.canvas.channels * len(self.down) * len(self.across)

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw offsets (m, *shape) into `out`."""
        size = (len(out), self.canvas.channels, len(self.down), len(self.across))
        coefficients = rng.standard_normal(size, dtype=np.float32)
        make_unit(coefficients)
        out[...] = images(coefficients, self.canvas, self.down, self.across).reshape(out.shape)


def cosines(n: int, share: float) -> Offsets:
    """Compute the first round(share * n) rows, at least one, of the orthonormal DCT-II matrix (n, n)."""
    frequency, place = np.arange(max(1, round(share * n)))[:, None], np.arange(n)[None, :]
    rows = np.cos(np.pi * frequency * (2 * place + 1) / (2 * n)) * np.sqrt(2 / n)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)
