"""Turns in random planes (SurFree: Maho, Furon, Le Merrer, CVPR 2021, arXiv:2011.12807): no query asks for a normal."""

import math

import numpy as np

from algorithms.seam.case import Step
from algorithms.seam.claims import UpperBound
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.directions.unit import Offsets
from algorithms.searches.labels.arc import RIGHT, Arc, sideways
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.line import halve

PLANES = 16  # in one play
FIRST, LARGEST = math.radians(15), math.radians(45)  # of a turn; twice as far, a sample has come to itself
SMALLEST = 1e-4  # a smaller one gains less than float32 can tell
SHRINK = 0.93  # of the angle where a plane gives nothing; where it gives something, it grows by as much
HALVINGS = 4  # of what lies beyond a turn that succeeded: the way back at the end of a play finds the rest


class PlaneTurns:
    """Turns are tried to one side and the other, in planes of one space at right angles to one another."""

    def __init__(self, walk: BoundaryWalk, law: DirectionLaw) -> None:
        self.walk, self.law = walk, law
        self.angle = FIRST

    def play(self, k: int) -> Step[None]:
        """Try some planes, take what turns they give, and come straight back to the boundary."""
        walk, began = self.walk, self.walk.point
        if k == 1:
            self.angle = FIRST
        drawn = np.empty((min(PLANES, self.law.dimensions(began.size)), *began.shape), np.float32)
        self.law.draw(walk.case.stream.at(walk.counter), drawn)
        walk.counter += 1
        across = np.linalg.qr(drawn.reshape(len(drawn), -1).T)[0].T
        for direction in across.reshape(drawn.shape):
            yield from self._turn(direction)
        if walk.point is not began:
            yield from walk.settle(walk.point)

    def _turn(self, direction: Offsets) -> Step[None]:
        walk, x = self.walk, self.walk.case.x
        aside = sideways((walk.point - x)[None], direction[None], walk.threat)[0]
        for side in (aside, -aside) if aside.any() else ():
            angle = 0.0
            further = self.angle
            while further <= LARGEST and (yield from walk.is_adversarial(self._arc(side, further).far)):
                angle, further = further, 2 * further
            if angle:
                arc = self._arc(side, angle, min(RIGHT, further))
                walk.stand(arc.at((yield from halve(arc, walk.is_adversarial, halvings=HALVINGS))), walk.distance)
                yield UpperBound(walk.point)
                self.angle = min(LARGEST, self.angle / SHRINK)
                return
        self.angle = max(SMALLEST, SHRINK * self.angle)

    def _arc(self, side: Offsets, outer: float, inner: float = RIGHT) -> Arc:
        return Arc(self.walk.case.x, self.walk.point, side, self.walk.threat, outer=outer, inner=inner)
