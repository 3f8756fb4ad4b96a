"""SimBA's orthonormal bases: single features, or the low frequencies of an image, each channel for itself."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.windows import Canvas
from algorithms.seam.access import Rows
from algorithms.searches.directions.low_frequencies import cosines

BasisName = Literal["pixel", "dct"]


class OrthonormalBasis(Protocol):
    """A basis is a number of directions of l2 length 1, each at right angles to all others."""

    @property
    def count(self) -> int: ...

    def add(self, offsets: Rows, directions: NDArray[np.int64], lengths: Numbers) -> None:
        """Add to each offset (m, C, H, W), in place, its direction (m,) at its length (m,)."""
        ...


@dataclass(frozen=True)
class SingleFeatures:
    """Single features are a basis: each direction moves one of them."""

    count: int

    def add(self, offsets: Rows, directions: NDArray[np.int64], lengths: Numbers) -> None:
        """Add directions in place, as `OrthonormalBasis` says."""
        flat = offsets.reshape(len(offsets), -1)
        flat[np.arange(len(flat)), directions] += lengths.astype(np.float32)


class Cosines:
    """Cosines are a basis of low frequencies: a direction is one down by one across, in one channel."""

    def __init__(self, canvas: Canvas, share: float) -> None:
        self._down, self._across = cosines(canvas.height, share), cosines(canvas.width, share)
        self._shape = canvas.channels, len(self._down), len(self._across)
        self.count = int(np.prod(self._shape))

    def add(self, offsets: Rows, directions: NDArray[np.int64], lengths: Numbers) -> None:
        """Add directions in place, as `OrthonormalBasis` says."""
        channel, u, v = np.unravel_index(directions, self._shape)
        down = self._down[u] * lengths.astype(np.float32)[:, None]
        offsets[np.arange(len(offsets)), channel] += down[:, :, None] * self._across[v][:, None, :]


def basis_of(name: BasisName, canvas: Canvas, frequencies: float) -> OrthonormalBasis:
    """Choose the basis by its name; of cosines the lowest share of the frequencies of each axis."""
    if name == "pixel":
        return SingleFeatures(canvas.channels * canvas.height * canvas.width)
    return Cosines(canvas, frequencies)
