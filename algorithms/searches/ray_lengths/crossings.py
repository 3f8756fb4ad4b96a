"""Where rays cross the boundary, searched for from a guess: the g(theta) of OPT, of many rays in step.

    g(theta) = min over lambda > 0 of the adversarial x + lambda theta        (Cheng et al., ICLR 2019, eq. 3)

Algorithm 1 of the paper steps from the guess by 1 % until the answer turns, and bisects that step. Steps that double
need no more than a few questions from a guess that is good to unknown precision. Steps end either way: a ray that has
not crossed by the last of them is told of as such.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Step
from algorithms.searches.labels.line import halve
from algorithms.searches.labels.ray import Ray

Ask = Callable[[Rows], Step[Mask]]


class Steps(Protocol):
    """A way of stepping says how far each step leads from a guess, inwards and outwards, and how many there are."""

    @property
    def most(self) -> int:
        """Count the steps at most."""
        ...

    def ends(self, k: int) -> tuple[float, float]:
        """Tell where step k ends inwards and outwards, as shares of the guess; k counts from 1."""
        ...


@dataclass(frozen=True)
class PercentSteps:
    """Each step is 1 % of where it begins (Cheng et al. 2019, algorithm 1, alpha = .01)."""

    ratio: float = 0.01
    most: int = 70  # twice as far, or half

    def ends(self, k: int) -> tuple[float, float]:
        """Tell where step k ends inwards and outwards, as shares of the guess; k counts from 1."""
        return (1 - self.ratio) ** k, (1 + self.ratio) ** k


@dataclass(frozen=True)
class DoublingSteps:
    """Each step is twice as long as the one before."""

    first: float  # as a share of the guess
    most: int = 12

    def ends(self, k: int) -> tuple[float, float]:
        """Tell where step k ends inwards and outwards, as shares of the guess; k counts from 1."""
        reach = self.first * (2**k - 1)
        return max(0.0, 1 - reach), 1 + reach


@dataclass(frozen=True)
class Stretch:
    """A stretch is the part of each ray between two shares, the outer end adversarial: a line that can be halved."""

    rays: Ray
    inner: Numbers  # (m,)
    outer: Numbers  # (m,)

    @property
    def x(self) -> Rows:
        """Find the near ends (m, *shape)."""
        return self.rays.at(self.inner)

    @property
    def far(self) -> Rows:
        """Find the far ends (m, *shape)."""
        return self.rays.at(self.outer)

    def at(self, share: Numbers) -> Rows:
        """Find the valid points (m, *shape) at these shares of the stretch."""
        return self.rays.at(self.inner + share * (self.outer - self.inner))


@dataclass(frozen=True)
class Crossings:
    """Crossings are where each ray (m,) turns adversarial: between two shares of the guess, the outer one adversarial.

    Where a ray has not crossed, both are where the search gave up.
    """

    inner: Numbers
    outer: Numbers
    has_crossed: Mask


def find_crossings(rays: Ray, won: Mask, ask: Ask, steps: Steps, *, tolerance: float) -> Step[Crossings]:
    """Search from the guesses, which are the rays' lengths; `won` (m,) tells which of them are adversarial.

    The last step of each is halved at least once, and until the longest is no longer than `tolerance`, a share.
    """
    near, beyond = yield from _step(rays, won, ask, steps)
    turned = ~np.isnan(beyond)
    inner, outer = np.where(won & turned, beyond, near), np.where(~won & turned, beyond, near)
    some = np.flatnonzero(turned)
    if len(some):
        stretch = Stretch(_among(rays, some), inner[some], outer[some])
        widths = stretch.outer - stretch.inner
        times = max(1, math.ceil(math.log2(max(1.0, widths.max() / tolerance))))
        shares = yield from halve(stretch, ask, halvings=times, lines=len(some))
        outer[some] = inner[some] + shares * widths
        inner[some] = outer[some] - widths / 2**times
    return Crossings(inner, outer, won | turned)


def _step(rays: Ray, won: Mask, ask: Ask, steps: Steps) -> Step[tuple[Numbers, Numbers]]:
    """Step towards where the answer turns. Shares (m,) of the last step that is like the guess, and of the first that
    is not: NaN where there is none.
    """
    near, beyond = np.ones(len(won)), np.full(len(won), np.nan)
    on = np.arange(len(won))
    for k in range(1, steps.most + 1):
        inwards, outwards = steps.ends(k)
        to = np.where(won[on], inwards, outwards)
        turns = (yield from ask(_among(rays, on).at(to))) != won[on]
        beyond[on[turns]], near[on[~turns]] = to[turns], to[~turns]
        on = on[~turns]
        if not len(on):
            break
    return near, beyond


def _among(rays: Ray, which: Numbers | np.ndarray) -> Ray:
    return Ray(rays.x, rays.direction[which], rays.length, rays.threat)
