"""Square's proposals: what it tries first, and how it changes a square, for each norm. Many samples at a time.

Andriushchenko et al. 2020, algorithms 2 (linf) and 3 (l2); in l1 as in l2, with masses of l1, as Croce & Hein 2021 have
it. Images are (m, C, H, W); proposals lie in ball and box. Each sample draws from its own generator, and the same
numbers whatever company it is in.
"""

from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.attacks.square.bumps import Power, masses, rooted, signed_bumps, window_masses
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.windows import Canvas, Windows
from algorithms.threats.threat import Threat

Images = NDArray[np.float32]  # (m, C, H, W)
Rngs = Sequence[np.random.Generator]
OVERSPENT = 3.0  # radii to which a change is stretched in l1, before it is projected
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


def proposals(norm: Norm) -> "type[LinfProposals] | type[BumpProposals]":
    """Choose the proposals of a norm."""
    if norm is Norm.LINF:
        return LinfProposals
    return L2Proposals if norm is Norm.L2 else L1Proposals


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


class BumpProposals:
    """The whole radius is always spent; a step moves the mass of two windows into a bump in one of them."""

    initial_share: float
    power: ClassVar[Power]  # the mass of a change is the sum of |.|^power

    def __init__(self, x: Images, radius: Numbers, threat: Threat, canvas: Canvas, rngs: Rngs) -> None:
        self.x, self.radius, self.threat, self.canvas, self.rngs = x, radius, threat, canvas, rngs

    def first(self) -> Images:
        """Guess a grid of about 5 x 5 bumps of random sign."""
        delta = np.zeros(self.x.shape)
        size = height, width = max(1, self.canvas.height // 5), max(1, self.canvas.width // 5)
        for top in range(0, self.canvas.height - height + 1, height):
            for left in range(0, self.canvas.width - width + 1, width):
                draws = _draws(self.rngs, 1 + self.canvas.channels)
                delta[:, :, top : top + height, left : left + width] = signed_bumps(size, draws, self.power)
        return self._spend(delta)

    def next(self, best: Images, share: float) -> tuple[Images, Mask]:
        power = self.power
        height, width = (side - 1 + side % 2 for side in self.canvas.window(share, smallest=3))  # odd
        draws = _draws(self.rngs, 5 + self.canvas.channels)
        into, from_ = (self.canvas.windows((height, width), places) for places in (draws[:, :2], draws[:, 2:4]))
        delta = np.subtract(best, self.x, dtype=np.float64)
        unused = np.maximum(self.radius**power - masses(delta, power), 0.0) / self.canvas.channels
        old = delta[into]  # (m, C, h, w)
        mass = window_masses(old, power)  # (m, C, 1, 1)
        bump = signed_bumps((height, width), draws[:, 4:], power) + old / (1e-10 + rooted(mass, power))
        delta[into] = 0.0  # before the other is weighed: they may overlap
        mass = unused[:, None, None, None] + mass + window_masses(delta[from_], power)
        delta[from_] = 0.0
        delta[into] = bump * rooted(mass / np.maximum(window_masses(bump, power), 1e-24), power)
        return self._spend(delta), np.ones(len(best), np.bool_)

    def within(self, points: Images) -> Images:
        delta = np.subtract(points, self.x, dtype=np.float64)
        outside = masses(delta, self.power) > self.radius**self.power
        return np.where(outside[:, None, None, None], self._drawn_in(delta), points)

    def _spend(self, delta: Numbers) -> Images:
        """x + as much of delta as the radius allows; in l1 so that little is lost to the box. Uses delta up."""
        return self._drawn_in(delta if self.power == 2 else self._stretched(delta, OVERSPENT * self.radius))

    def _drawn_in(self, delta: Numbers) -> Images:
        """x + delta, brought into ball and box: in l2 by its length, in l1 by projection. Uses delta up."""
        if self.power == 2:
            points = np.add(self._stretched(delta, self.radius), self.x, out=delta).astype(np.float32)
            return np.asarray(self.threat.clip(points, self.x, out=points))
        flat = self.threat.arranged(lambda side: side.reshape(1, -1) if side.ndim else side)
        x = self.x.reshape(len(delta), -1)
        return np.asarray(flat.project(x + delta.reshape(x.shape), x, self.radius)).reshape(self.x.shape)

    def _stretched(self, delta: Numbers, radius: Numbers) -> Numbers:
        """Delta at these lengths (m,), in place."""
        size = rooted(masses(delta, self.power), self.power)
        delta *= (radius / np.maximum(size, 1e-12))[:, None, None, None]
        return delta


class L2Proposals(BumpProposals):
    """In l2 the mass of a change is the sum of its squares."""

    initial_share = 0.1
    power = 2


class L1Proposals(BumpProposals):
    """In l1 the mass of a change is the sum of its sizes. As the authors' code, it makes more than it may keep."""

    initial_share = 0.8
    power = 1
