"""Tiles: coarse images, each of whose numbers stands for a patch of pixels (Ilyas et al. 2019, section 3.2)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.windows import Canvas

MOST = 50  # along an axis, where it is not said: the paper's, on images of 299 x 299


@dataclass(frozen=True)
class Tiles:
    """Tiles cover a sample (d features): `place` (d,) says which of `count` tiles each feature lies in."""

    count: int
    place: NDArray[np.int64]

    @classmethod
    def of(cls, shape: tuple[int, ...], tile: int | None) -> "Tiles":
        """Cut an image into so many tiles along each axis, each channel for itself; a vector into its features."""
        canvas = Canvas.of(shape)
        if canvas.height == 1:
            d = canvas.channels * canvas.width
            return cls(d, np.arange(d))
        sides = canvas.height, canvas.width
        tiles = [min(side, tile or min(MOST, -(-side // 2))) for side in sides]
        down, across = (np.arange(side) * n // side for side, n in zip(sides, tiles, strict=True))
        plane = down[:, None] * tiles[1] + across
        channels = np.arange(canvas.channels)[:, None, None] * (tiles[0] * tiles[1])
        image = channels + plane  # (C, H, W)
        laid_out = np.moveaxis(image, 0, -1) if canvas.channels_last else image
        return cls(canvas.channels * tiles[0] * tiles[1], np.ascontiguousarray(laid_out).reshape(-1))

    @property
    def is_plain(self) -> bool:
        """Tell whether each feature is a tile of its own, in order."""
        return self.count == len(self.place)

    def spread(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give each feature the value of its tile: (..., count) -> (..., d)."""
        return values if self.is_plain else np.take(values, self.place, axis=-1)
