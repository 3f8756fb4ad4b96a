"""Square's proposals: what it tries first, and how it changes a square, for each norm. Many samples at a time.

Andriushchenko et al. 2020, algorithms 2 (linf) and 3 (l2). Images are (m, C, H, W); proposals lie in ball and box.
Each sample draws from its own generator, and the same numbers whatever company it is in.
"""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.windows import Canvas, Windows
from algorithms.threats.threat import Threat

Images = NDArray[np.float32]  # (m, C, H, W)
Rngs = Sequence[np.random.Generator]
REDRAWS = 8  # of a square that changes nothing, before the step is given up


class Proposals(Protocol):
    """Proposals lie around some samples (m, C, H, W), each within its own radius (m,), short of what rounding may add.

    The threat's box is laid out as the samples are.
    """

    initial_share: float

    def __init__(self, x: Images, radius: Numbers, threat: Threat, canvas: Canvas, rngs: Rngs) -> None: ...

    def first(self) -> Images:
        """Guess a first point for each sample."""
        ...

    def next(self, best: Images, share: float) -> tuple[Images, Mask]:
        """Change the best points, each in one window; tell which of them changed."""
        ...

    def within(self, points: Images) -> Images:
        """Bring points of larger balls into these, as near as they allow (all hold x)."""
        ...


def proposals(norm: Norm) -> "type[LinfProposals] | type[L2Proposals]":
    """Choose the proposals for l2 or linf."""
    return LinfProposals if norm is Norm.LINF else L2Proposals


def _draws(rngs: Rngs, n: int) -> Numbers:
    """(m, n)"""
    drawn = np.empty((len(rngs), n))
    for row, rng in zip(drawn, rngs, strict=True):
        rng.random(out=row)
    return drawn


class LinfProposals:
    """In linf everything sits on the faces of the cube, x - r or x + r."""

    initial_share = 0.05

    def __init__(self, x: Images, radius: Numbers, threat: Threat, canvas: Canvas, rngs: Rngs) -> None:
        self.x, self.reach, self.threat = x, radius.astype(np.float32)[:, None, None, None], threat
        self.canvas, self.rngs = canvas, rngs

    def first(self) -> Images:
        """Guess vertical stripes, one column wide."""
        coins = _draws(self.rngs, self.canvas.channels * self.canvas.width)
        signs = coins.reshape(-1, self.canvas.channels, 1, self.canvas.width) < 0.5
        return np.asarray(np.where(signs, *self.threat.hull(self.x, self.reach)))

    def next(self, best: Images, share: float) -> tuple[Images, Mask]:
        size = self.canvas.window(share)
        points, changed = best.copy(), np.zeros(len(best), np.bool_)
        for _ in range(REDRAWS):
            still = np.flatnonzero(~changed)
            if not len(still):
                break
            draws = _draws([self.rngs[int(i)] for i in still], 2 + self.canvas.channels)
            window = self.canvas.windows(size, draws[:, :2], of=still)
            old = points[window]
            new = np.where(draws[:, 2:, None, None] < 0.5, *self._faces(window, still))
            points[window] = new
            changed[still] = (new != old).any(axis=(1, 2, 3))
        return points, changed

    def _faces(self, window: Windows, of: NDArray[np.int64]) -> tuple[Images, Images]:
        """The ends of what may be reached in windows (k, C, h, w) of these samples."""

        def seen(side: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.broadcast_to(side, self.x.shape)[window] if side.ndim else side

        return self.threat.arranged(seen).hull(self.x[window], self.reach[of])

    def within(self, points: Images) -> Images:
        low, high = self.threat.hull(self.x, self.reach)
        return np.asarray(np.minimum(np.maximum(points, low), high))


class L2Proposals:
    """In l2 the whole radius is always spent; a step moves the mass of two windows into a bump in one of them."""

    initial_share = 0.1

    def __init__(self, x: Images, radius: Numbers, threat: Threat, canvas: Canvas, rngs: Rngs) -> None:
        self.x, self.radius, self.threat, self.canvas, self.rngs = x, radius, threat, canvas, rngs

    def first(self) -> Images:
        """Guess a grid of about 5 x 5 bumps of random sign."""
        delta = np.zeros(self.x.shape)
        size = height, width = max(1, self.canvas.height // 5), max(1, self.canvas.width // 5)
        for top in range(0, self.canvas.height - height + 1, height):
            for left in range(0, self.canvas.width - width + 1, width):
                draws = _draws(self.rngs, 1 + self.canvas.channels)
                delta[:, :, top : top + height, left : left + width] = _signed_bumps(size, draws)
        return self._spend(delta)

    def next(self, best: Images, share: float) -> tuple[Images, Mask]:
        height, width = (side - 1 + side % 2 for side in self.canvas.window(share, smallest=3))  # odd
        draws = _draws(self.rngs, 5 + self.canvas.channels)
        into, from_ = (self.canvas.windows((height, width), places) for places in (draws[:, :2], draws[:, 2:4]))
        delta = np.subtract(best, self.x, dtype=np.float64)
        unused = np.maximum(self.radius**2 - _mass(delta), 0.0) / self.canvas.channels
        old = delta[into]  # (m, C, h, w)
        mass = _window_mass(old)  # (m, C, 1, 1)
        bump = _signed_bumps((height, width), draws[:, 4:]) + old / (1e-10 + np.sqrt(mass))
        delta[into] = 0.0  # before the other is weighed: they may overlap
        mass = unused[:, None, None, None] + mass + _window_mass(delta[from_])
        delta[from_] = 0.0
        delta[into] = bump * np.sqrt(mass / np.maximum(_window_mass(bump), 1e-24))
        return self._spend(delta), np.ones(len(best), np.bool_)

    def within(self, points: Images) -> Images:
        delta = np.subtract(points, self.x, dtype=np.float64)
        outside = _mass(delta) > self.radius**2
        return np.where(outside[:, None, None, None], self._spend(delta), points)

    def _spend(self, delta: Numbers) -> Images:
        """x + delta stretched to the radius; the box may take some of it away. Uses delta up."""
        delta *= (self.radius / np.maximum(np.sqrt(_mass(delta)), 1e-12))[:, None, None, None]
        points = np.add(delta, self.x, out=delta).astype(np.float32)
        return np.asarray(self.threat.clip(points, self.x, out=points))


def _mass(delta: Numbers) -> Numbers:
    """Sums of squares, sample by sample: (m, ...) -> (m,)"""
    return _squares(delta.reshape(len(delta), -1))


def _squares(rows: Numbers) -> Numbers:
    """(m, d) -> (m,). A single long row would be summed in another order than one of many: it gets company."""
    many = np.broadcast_to(rows, (2, rows.shape[1])) if len(rows) == 1 else rows
    return np.asarray(np.einsum("ij,ij->i", many, many))[: len(rows)]


def _window_mass(values: Numbers) -> Numbers:
    """The same, channel by channel: (m, C, h, w) -> (m, C, 1, 1)"""
    return _squares(values.reshape(-1, values.shape[2] * values.shape[3])).reshape(*values.shape[:2], 1, 1)


def _signed_bumps(size: tuple[int, int], coins: Numbers) -> Numbers:
    """Bumps (m, C, h, w) by coins in [0, 1): the first of each sample turns all its bumps, the others are signs."""
    bump = _bump(*size)
    turned = np.where(coins[:, :1, None, None] < 0.5, bump.T, bump) if size[0] == size[1] else bump
    return np.asarray(np.where(coins[:, 1:, None, None] < 0.5, turned, -turned))


@cache
def _bump(height: int, width: int) -> Numbers:
    """A positive and a negative half, each a pyramid, of norm 1: (height, width)."""
    if height == width == 1:
        return np.ones((1, 1))
    if height == 1:
        return _bump(width, 1).T
    upper = height // 2
    both = np.concatenate([_pyramid(upper, width), -_pyramid(height - upper, width)])
    return np.asarray(both / np.sqrt(np.square(both).sum()))


def _pyramid(height: int, width: int) -> Numbers:
    """Concentric rectangles, the k-th weighing 1/(k+1)^2, of norm 1."""
    rings = np.zeros((height, width))
    top, left = height // 2, width // 2
    for k in range(max(top, left) + 1):
        rows = slice(max(top - k, 0), min(top + k + 1, height))
        columns = slice(max(left - k, 0), min(left + k + 1, width))
        rings[rows, columns] += 1.0 / (k + 1) ** 2
    return np.asarray(rings / np.sqrt(np.square(rings).sum()))
