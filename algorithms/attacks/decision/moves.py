"""The moves: estimates of the boundary's normal in a space each, and what is done with an estimate; flips of signs."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from algorithms.attacks.decision.earnings import Earnings
from algorithms.attacks.decision.params import DecisionParams
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.seam.case import Step
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.hops import jump
from algorithms.searches.labels.schedule import size, told_apart
from algorithms.searches.labels.semicircle import semicircle
from algorithms.searches.labels.tangent_point import tangent_jump

MEMORY = 0.8  # of earlier estimates in the next one: a step leads to where the boundary is much the same
FLIPS = 16  # in one play

Landing = Callable[[BoundaryWalk, Numbers, int], Step[None]]


class Move(Protocol):
    """A move brings a walk nearer to its sample, or leaves it where it stands."""

    def play(self, k: int) -> Step[None]:
        """Play in iteration k of the walk, from 1: there all of a walk is new, and what was learned elsewhere gone."""
        ...


@dataclass
class ByNormal:
    """The boundary's normal is estimated in one space, from labels now and, fading, from labels before."""

    walk: BoundaryWalk
    law: DirectionLaw
    params: DecisionParams
    landings: "Landings"
    remembered: Numbers = field(default_factory=lambda: np.zeros(()))

    def play(self, k: int) -> Step[None]:
        """Estimate, and land by what lands best."""
        walk, n = self.walk, size(self.params.initial_directions, k)
        walk.law = self.law
        seen = yield from walk.look_around(n, told_apart(walk, self.params.width * walk.distance))
        normal = seen.normal
        length = float(np.sqrt(np.square(normal).sum()))
        if not length:
            return
        # An estimate from n labels is sharper than one from fewer as the square root of their numbers is.
        self.remembered = math.sqrt(n) * normal / length + MEMORY * self.remembered
        direction: Numbers = walk.threat.ascent_direction(self.remembered[None])[0]
        yield from self.landings.land(direction, k)

    def forget(self) -> None:
        """Forget estimates from another part of the boundary."""
        self.remembered = np.zeros(())


class Landings:
    """Ways back to the boundary once its normal is known; which one is taken goes by what each has earned."""

    def __init__(self, walk: BoundaryWalk) -> None:
        self.walk = walk
        self.ways = LANDINGS[walk.threat.norm]
        self.earnings = Earnings(len(self.ways))

    def land(self, direction: Numbers, k: int) -> Step[None]:
        """Take one of the ways."""
        walk, way = self.walk, self.earnings.choose()
        before, asked = walk.distance, walk.asked
        yield from self.ways[way](walk, direction, k)
        self.earnings.learn(way, before, walk.distance, walk.asked - asked)


def by_jump(walk: BoundaryWalk, direction: Numbers, k: int) -> Step[None]:
    """Go along the normal and straight back: a jump (Chen et al. 2020)."""
    landed = yield from jump(walk, direction, k)
    if landed is not None:
        yield from walk.settle(landed)


def by_semicircle(walk: BoundaryWalk, direction: Numbers, k: int) -> Step[None]:
    """Look for the boundary on the semicircle to the sample (Reza et al. 2023)."""
    del k
    yield from walk.follow(semicircle(walk, direction))


def by_tangent(walk: BoundaryWalk, direction: Numbers, k: int) -> Step[None]:
    """Go to where a line from the sample touches a ball, and straight back (Ma et al. 2021)."""
    landed = yield from tangent_jump(walk, direction, k, 1.0)
    if landed is not None:
        yield from walk.settle(landed)


LANDINGS: Mapping[Norm, tuple[Landing, ...]] = {
    Norm.L2: (by_semicircle, by_tangent, by_jump),
    Norm.LINF: (by_jump,),
}


class Flips:
    """Flips of signs, in linf: the change is the same everywhere but for its sign, and blocks of signs are turned over.

    Chen, Gu, RayS, KDD 2020: blocks of halving size, one query each where turning over brings nothing.
    """

    def __init__(self, walk: BoundaryWalk, tolerance: float) -> None:
        self.walk, self.tolerance = walk, tolerance
        self.blocks, self.block = 1, 0

    def play(self, k: int) -> Step[None]:
        """Turn over some blocks, one after the other, and come back where a nearer point is adversarial."""
        del k
        walk, x = self.walk, self.walk.case.x
        for _ in range(FLIPS):
            signs = np.where(walk.point.ravel() >= x.ravel(), 1.0, -1.0)
            start, end = (place * signs.size // self.blocks for place in (self.block, self.block + 1))
            signs[start:end] *= -1
            nearer = (1 - self.tolerance) * walk.distance
            there = walk.threat.clip(x + nearer * signs.reshape(x.shape).astype(np.float32), x)
            if (yield from walk.is_adversarial(there)):
                yield from walk.settle(there)
            self.block += 1
            if self.block == self.blocks:
                self.blocks, self.block = (2 * self.blocks if 2 * self.blocks <= signs.size else 1), 0
