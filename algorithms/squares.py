"""Square's proposals: what it tries first, and how it changes a square, for each norm.

Andriushchenko et al. 2020, algorithms 2 (linf) and 3 (l2). Images are (C, H, W); every proposal lies in ball and box.
"""

import math
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.geometry import lengths
from algorithms.projections import ROUNDING
from algorithms.threat import Norm
from algorithms.windows import Canvas

Image = NDArray[np.float32]  # (C, H, W)
Square = NDArray[np.float64]  # (height, width)
Window = tuple[slice, slice]
REDRAWS = 8  # of a square that changes nothing, before the step is given up


class Proposals(Protocol):
    """Around one sample, within one radius."""

    initial_share: float

    def __init__(
        self, x: Image, lower: Image, upper: Image, radius: float, canvas: Canvas, rng: np.random.Generator
    ) -> None: ...

    def first(self) -> Image: ...

    def next(self, best: Image, share: float) -> Image | None:
        """A change of the best point in one window; None where no change was found."""
        ...

    def within(self, point: Image) -> Image:
        """The point of this ball nearest to one of a larger ball (both hold x)."""
        ...


def proposals(norm: Norm) -> type["Stripes"] | type["Bumps"]:
    return Stripes if norm is Norm.LINF else Bumps


class Stripes:
    """linf: everything sits on the faces of the cube, x - r or x + r."""

    initial_share = 0.05

    def __init__(
        self, x: Image, lower: Image, upper: Image, radius: float, canvas: Canvas, rng: np.random.Generator
    ) -> None:
        inner = np.float32(max(0.0, radius - ROUNDING * (float(np.abs(x).max()) + radius)))
        self.low, self.high = np.maximum(x - inner, lower), np.minimum(x + inner, upper)
        self.canvas, self.rng = canvas, rng

    def first(self) -> Image:
        """Vertical stripes, one column wide."""
        signs = self.rng.random((self.canvas.channels, 1, self.canvas.width)) < 0.5
        return np.asarray(np.where(signs, self.low, self.high))

    def next(self, best: Image, share: float) -> Image | None:
        height, width = self.canvas.window(share)
        candidate = best.copy()
        for _ in range(REDRAWS):
            down, right = _somewhere(self.canvas, height, width, self.rng)
            for channel, coin in enumerate(self.rng.random(self.canvas.channels).tolist()):
                square = (channel, down, right)
                candidate[square] = (self.low if coin < 0.5 else self.high)[square]
            if (candidate[:, down, right] != best[:, down, right]).any():
                return candidate
        return None

    def within(self, point: Image) -> Image:
        return np.clip(point, self.low, self.high)


class Bumps:
    """l2: the whole radius is always spent; a step moves the mass of two windows into a bump in one of them."""

    initial_share = 0.1

    def __init__(
        self, x: Image, lower: Image, upper: Image, radius: float, canvas: Canvas, rng: np.random.Generator
    ) -> None:
        length = float(lengths(x[None], Norm.L2)[0])
        self.radius = max(0.0, radius - ROUNDING * (length + radius))
        self.x = x.astype(np.float64)  # sums of one type: numpy takes 5 times as long where it has to cast
        self.lower, self.upper = lower, upper
        self.canvas, self.rng = canvas, rng
        self._best: Image | None = None

    def first(self) -> Image:
        """A grid of about 5 x 5 bumps of random sign."""
        delta = np.zeros(self.x.shape)
        height, width = (max(1, side // 5) for side in self.x.shape[1:])
        for top in range(0, self.canvas.height - height + 1, height):
            for left in range(0, self.canvas.width - width + 1, width):
                bump = self._bump(height, width)
                for channel in delta:
                    channel[top : top + height, left : left + width] = self._sign() * bump
        return self._spend(delta)

    def next(self, best: Image, share: float) -> Image:
        height, width = (side - 1 + side % 2 for side in self.canvas.window(share, smallest=3))  # odd
        into, from_ = (_somewhere(self.canvas, height, width, self.rng) for _ in range(2))
        if best is not self._best:  # most steps change nothing, and the next starts from the same point
            self._best, self._delta = best, best.astype(np.float64) - self.x
            self._unused = max(self.radius**2 - _mass(self._delta), 0.0) / self.canvas.channels
        delta = self._delta.copy()
        bump = self._bump(height, width)
        for channel in delta:
            _move(channel, into, from_, self._sign() * bump, self._unused)
        return self._spend(delta)

    def within(self, point: Image) -> Image:
        delta = point.astype(np.float64) - self.x
        return self._spend(delta) if _mass(delta) > self.radius**2 else point

    def _spend(self, delta: NDArray[np.float64]) -> Image:
        """x + delta stretched to the radius; the box may take some of it away."""
        size = max(math.sqrt(_mass(delta)), 1e-12)
        stretched = (self.x + delta * (self.radius / size)).astype(np.float32)
        return np.minimum(np.maximum(stretched, self.lower), self.upper)

    def _sign(self) -> float:
        return 1.0 if self.rng.random() < 0.5 else -1.0

    def _bump(self, height: int, width: int) -> NDArray[np.float64]:
        bump = _bump(height, width)
        return bump.T if height == width and self.rng.random() < 0.5 else bump


def _move(channel: Square, into: Window, from_: Window, bump: Square, unused: float) -> None:
    """The mass of two windows of a channel (H, W), and a share of what was unused, becomes a bump in one of them."""
    old = channel[into].copy()
    mass = _mass(old)
    channel[into] = 0.0
    mass_of_both = mass + _mass(channel[from_])
    channel[from_] = 0.0
    bump = bump + old / (1e-10 + math.sqrt(mass))
    channel[into] = bump * math.sqrt((unused + mass_of_both) / max(_mass(bump), 1e-24))


def _mass(delta: NDArray[np.float64]) -> float:
    """Sum of squares."""
    return float(np.vdot(delta, delta))


def _somewhere(canvas: Canvas, height: int, width: int, rng: np.random.Generator) -> Window:
    """A window of this size, anywhere in a channel."""
    down, right = rng.random(2).tolist()
    top = int(down * (canvas.height - height + 1))
    left = int(right * (canvas.width - width + 1))
    return slice(top, top + height), slice(left, left + width)


@cache
def _bump(height: int, width: int) -> NDArray[np.float64]:
    """A positive and a negative half, each a pyramid, of norm 1: (height, width)."""
    if height == width == 1:
        return np.ones((1, 1))
    if height == 1:
        return _bump(width, 1).T
    upper = height // 2
    both = np.concatenate([_pyramid(upper, width), -_pyramid(height - upper, width)])
    return np.asarray(both / np.sqrt(np.square(both).sum()))


def _pyramid(height: int, width: int) -> NDArray[np.float64]:
    """Concentric rectangles, the k-th weighing 1/(k+1)^2, of norm 1."""
    rings = np.zeros((height, width))
    top, left = height // 2, width // 2
    for k in range(max(top, left) + 1):
        rows = slice(max(top - k, 0), min(top + k + 1, height))
        columns = slice(max(left - k, 0), min(left + k + 1, width))
        rings[rows, columns] += 1.0 / (k + 1) ** 2
    return np.asarray(rings / np.sqrt(np.square(rings).sum()))
