"""HopSkipJump's schedule: how many points a cloud has, how far away they are, how precise the way back is.

Chen, Jordan, Wainwright, IEEE S&P 2020, arXiv:1904.02144. Symbols as in the paper: theta is the precision of the way
back, delta the radius of the cloud, B the number of its points.
"""

import math

import numpy as np
from pydantic import Field

from algorithms.mathematics.norms import Norm
from algorithms.method import Params
from algorithms.searches.directions.params import DirectionParams
from algorithms.searches.labels.boundary_walk import BoundaryWalk

MOST_DIRECTIONS = 10_000  # B at most (Chen et al. 2020, section V-A)
FIRST_DELTA = 0.1  # of the box's side: delta of the first cloud, in the code of the authors
COARSEST = 0.01  # of a way back: theta is all of it for one feature, and a third of it for two
RESOLUTION = 16 * float(np.finfo(np.float32).eps)  # an offset below this share of a feature is mostly rounding


class CloudParams(Params):
    """Parameters of the clouds are how many there are, and how many points they have."""

    initial_directions: int = Field(
        100,
        ge=1,
        le=MOST_DIRECTIONS,
        description="points of the first cloud; their number grows as √k, k iterations on",
    )
    iterations: int = Field(64, ge=1, le=10_000, description="estimates at most; mostly the budget ends the walk")


class ScheduleParams(CloudParams, DirectionParams):
    """Parameters of the schedule are those of a method that keeps to it."""

    gamma: float = Field(
        1.0, gt=0, le=1e5, description="radius of a cloud: gamma/d of the distance; larger for noisy or large inputs"
    )


def theta(gamma: float, d: int, norm: Norm) -> float:
    """Compute the precision of a way back as a share of it: gamma / d^(3/2) in l2, gamma / d^2 in linf."""
    return float(gamma / d ** (2.0 if norm is Norm.LINF else 1.5))


def theta_of_few(gamma: float, d: int, norm: Norm) -> float:
    """Compute theta as far as it is fine: a coarser one would stop short of the boundary of few features."""
    return min(theta(gamma, d, norm), COARSEST)


def size(initial: int, k: int) -> int:
    """Count the points of the cloud of iteration k: initial sqrt(k), as far as that goes."""
    return min(int(initial * math.sqrt(k)), MOST_DIRECTIONS)


def delta(walk: BoundaryWalk, gamma: float, k: int) -> float:
    """Compute the radius of a cloud: sqrt(d) theta in l2, d theta in linf, of where the line back began.

    That is gamma / d of it in both.
    """
    box = walk.threat.box
    if k == 1 and box.is_bounded:
        return FIRST_DELTA * float(np.median(box.sides))
    return told_apart(walk, gamma / walk.case.x.size * walk.reach)


def told_apart(walk: BoundaryWalk, radius: float) -> float:
    """Widen a cloud around the walk's point until its points can be told apart: by float32, or on the threat's lattice.

    For images of 224 x 224 x 3 the paper's delta moves a feature by less than one unit of its last place; on a lattice
    of 256 levels a cloud of that size is a single point.
    """
    sizes, share = np.abs(walk.point), math.sqrt(walk.point.size) * RESOLUTION
    radius = max(radius, math.sqrt(walk.point.size) * walk.threat.spacing / 2)
    return radius if radius >= share * float(sizes.max()) else max(radius, share * float(np.median(sizes)))
