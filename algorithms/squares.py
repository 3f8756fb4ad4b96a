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
            across, along, *coins = self.rng.random(2 + self.canvas.channels).tolist()
            down, right = _window(self.canvas, height, width, across, along)
            for channel, coin in enumerate(coins):
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
        # all of one type: numpy takes 5 times as long where it has to cast
        self.x, self.lower, self.upper = (values.astype(np.float64) for values in (x, lower, upper))
        self.canvas, self.rng = canvas, rng
        self._best: Image | None = None

    def first(self) -> Image:
        """A grid of about 5 x 5 bumps of random sign."""
        delta = np.zeros(self.x.shape)
        height, width = (max(1, side // 5) for side in self.x.shape[1:])
        for top in range(0, self.canvas.height - height + 1, height):
            for left in range(0, self.canvas.width - width + 1, width):
                turned, *signs = self.rng.random(1 + self.canvas.channels).tolist()
                bump = _bump_turned(height, width, turned)
                for channel, sign in zip(delta, signs, strict=True):
                    channel[top : top + height, left : left + width] = bump if sign < 0.5 else -bump
        return self._spend(delta)

    def next(self, best: Image, share: float) -> Image:
        height, width = (side - 1 + side % 2 for side in self.canvas.window(share, smallest=3))  # odd
        draws = self.rng.random(5 + self.canvas.channels).tolist()
        into = _window(self.canvas, height, width, *draws[:2])
        from_ = _window(self.canvas, height, width, *draws[2:4])
        turned, *signs = draws[4:]
        if best is not self._best:  # most steps change nothing, and the next starts from the same point
            self._best, self._delta = best, best.astype(np.float64) - self.x
            self._unused = max(self.radius**2 - _mass(self._delta), 0.0) / self.canvas.channels
        delta = self._delta.copy()
        bump = _bump_turned(height, width, turned)
        for channel, sign in zip(delta, signs, strict=True):
            _move(channel[into], channel[from_], bump if sign < 0.5 else -bump, self._unused)
        return self._spend(delta)

    def within(self, point: Image) -> Image:
        delta = point.astype(np.float64) - self.x
        return self._spend(delta) if _mass(delta) > self.radius**2 else point

    def _spend(self, delta: NDArray[np.float64]) -> Image:
        """x + delta stretched to the radius; the box may take some of it away. Uses delta up."""
        delta *= self.radius / max(math.sqrt(_mass(delta)), 1e-12)
        delta += self.x
        np.maximum(delta, self.lower, out=delta)
        np.minimum(delta, self.upper, out=delta)
        return delta.astype(np.float32)


def _move(into: Square, from_: Square, bump: Square, unused: float) -> None:
    """The mass of two windows of a channel, and a share of what was unused, becomes a bump in the first."""
    mass = _mass(into)
    bump = bump + into / (1e-10 + math.sqrt(mass))
    into[...] = 0.0  # before the other is weighed: they may overlap
    mass += _mass(from_)
    from_[...] = 0.0
    np.multiply(bump, math.sqrt((unused + mass) / max(_mass(bump), 1e-24)), out=into)


def _mass(delta: NDArray[np.float64]) -> float:
    """Sum of squares."""
    return float(np.vdot(delta, delta))


def _window(canvas: Canvas, height: int, width: int, across: float, along: float) -> Window:
    """The window of this size at these shares, in [0, 1), of the ways across and along a channel."""
    top = int(across * (canvas.height - height + 1))
    left = int(along * (canvas.width - width + 1))
    return slice(top, top + height), slice(left, left + width)


def _bump_turned(height: int, width: int, coin: float) -> Square:
    """Either way up, by a coin in [0, 1)."""
    bump = _bump(height, width)
    return bump.T if height == width and coin < 0.5 else bump


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
