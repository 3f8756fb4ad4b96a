"""Samples seen as images, and the square windows that local search moves about in them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Square's schedule: the share of features a window covers is halved past each of these iterations of a horizon of
# 10 000 (Andriushchenko et al. 2020, section 4.2).
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
HORIZON = 10_000

Windows = tuple[NDArray[np.int64], ...]  # an index of (m, C, H, W) that takes (m, C, h, w)


@dataclass(frozen=True)
class Canvas:
    """A canvas reads a sample (*shape) as channels x height x width. A vector is one row of pixels."""

    shape: tuple[int, ...]
    channels: int
    height: int
    width: int
    channels_last: bool

    @classmethod
    def of(cls, shape: tuple[int, ...]) -> "Canvas":
        """Tell images by their shape: (C, H, W), (H, W, C) with at most 4 channels, or (H, W); the rest are vectors."""
        sides = [n for n in shape if n > 1]
        if len(shape) == 3 and len(sides) >= 2:
            last = shape[2] <= 4 < min(shape[:2])
            channels, height, width = (shape[2], *shape[:2]) if last else shape
            if min(height, width) > 1:
                return cls(shape, channels, height, width, last)
        if len(sides) == 2 and len(shape) == 2:
            return cls(shape, 1, *shape, channels_last=False)
        return cls(shape, 1, 1, math.prod(shape), channels_last=False)

    def view(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Read samples (m, *shape) as images (m, C, H, W), by a view where the memory allows."""
        if self.channels_last:
            return np.moveaxis(samples, -1, 1)
        return samples.reshape(-1, self.channels, self.height, self.width)

    def restore(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn images (m, C, H, W) back into samples (m, *shape)."""
        if self.channels_last:
            return np.ascontiguousarray(np.moveaxis(images, 1, -1))
        return images.reshape(-1, *self.shape)

    @property
    def pixels(self) -> NDArray[np.int64]:
        """Number the pixels, from 0; each feature (*shape) has the number of its own."""
        numbers = np.arange(self.height * self.width).reshape(1, 1, self.height, self.width)
        numbers = np.broadcast_to(numbers, (1, self.channels, self.height, self.width))
        laid_out = np.moveaxis(numbers, 1, -1) if self.channels_last else numbers
        return np.array(laid_out.reshape(self.shape), np.int64)

    def window(self, share: float, *, smallest: int = 1) -> tuple[int, int]:
        """Choose height and width of a window over this share of the pixels, not over all where that can be."""
        if self.height == 1:
            side = round(share * self.width)
            return 1, max(min(smallest, self.width), min(side, max(1, self.width - 1)))
        side = round(math.sqrt(share * self.height * self.width))
        room = min(self.height, self.width) - 1
        return (max(min(smallest, room), min(side, room)),) * 2

    def windows(
        self, size: tuple[int, int], places: NDArray[np.float64], of: NDArray[np.int64] | None = None
    ) -> Windows:
        """Index one window in each of m images, all channels, or in the images `of` (m,).

        `places` (m, 2): shares, in [0, 1), of the ways down and across a channel.
        """
        room = np.array([self.height - size[0] + 1, self.width - size[1] + 1])
        corner = (places * room).astype(np.int64)
        images = np.arange(len(places)) if of is None else of
        down, across = (corner[:, [axis]] + np.arange(size[axis]) for axis in (0, 1))  # (m, h), (m, w)
        return (
            images[:, None, None, None],
            np.arange(self.channels)[None, :, None, None],
            down[:, None, :, None],
            across[:, None, None, :],
        )


def shares_at(iterations: NDArray[np.int64], initial: float, horizon: int = HORIZON) -> NDArray[np.float64]:
    """Find Square's p, the shares of pixels in a window at these iterations (m,), halved on schedule.

    The schedule is stretched over `horizon` iterations, as the authors' code stretches it over all that it makes.
    """
    return np.asarray(initial / 2.0 ** np.searchsorted(HALVINGS, iterations * HORIZON // horizon))
