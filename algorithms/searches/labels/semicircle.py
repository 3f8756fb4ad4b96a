"""The semicircle of CGBA: from a boundary point to the sample, in the plane of the way there and the boundary's normal.

Reza, Rahmati, Wu, Dai: CGBA: Curvature-aware Geometric Black-box Attack, ICCV 2023, arXiv:2308.03163. With a
flat boundary and its true normal, it meets the boundary in the nearest point there is. CGBA looks for that from the
sample's end, CGBA-H from the point's.
"""

import math

import numpy as np
from pydantic import Field

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.case import Step
from algorithms.seam.cost import Cost
from algorithms.searches.directions.params import ImageDirectionParams
from algorithms.searches.labels.arc import Arc, sideways
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.searches.labels.schedule import MOST_DIRECTIONS, size, told_apart
from algorithms.threats.threat import Threat

WIDEST = 0.1  # of the distance: what a wider cloud tells is not about the boundary at its middle


class SemicircleParams(ImageDirectionParams):
    """Parameters of CGBA are those of CGBA-H too."""

    initial_directions: int = Field(  # N_0 = 30 (Reza et al. 2023, section 4.1)
        30,
        ge=1,
        le=MOST_DIRECTIONS,
        description="points of the first cloud; their number grows as √k, k iterations on",
    )
    iterations: int = Field(500, ge=1, le=10_000, description="estimates at most; mostly the budget ends the walk")
    sigma: float = Field(  # 0.0002 (Reza et al. 2023, section 4.1)
        2e-4,
        gt=0,
        le=1,
        description="standard deviation of a cloud in each of its dimensions, as a share of the box's side; "
        "larger for noisy models",
    )
    tolerance: float = Field(1e-4, gt=0, le=0.1, description="precision of a search, as a share of its way")


def minimum(params: SemicircleParams, threat: Threat) -> Cost:
    """Count the clean row, a start and a step back, one estimate and a step on its semicircle, the final re-query."""
    del threat
    return Cost(queries=params.initial_directions + 5)


def radius(walk: BoundaryWalk, sigma: float) -> float:
    """Compute the radius of a cloud that has this standard deviation in each dimension that is drawn from."""
    spread = sigma * walk.threat.box.typical_side * math.sqrt(walk.law.dimensions(walk.point.size))
    return told_apart(walk, min(spread, WIDEST * walk.distance))


def angle_to(arc: Arc, normal: Numbers) -> float:
    """Measure the angle at the sample between the way to the arc's point and a direction (*shape) in its plane."""
    return float(np.arctan2((arc.sideways * normal).sum(), ((arc.point - arc.x) * normal).sum()))


def semicircle(walk: BoundaryWalk, normal: Numbers) -> Arc:
    """Span the arc from where the walk stands to its sample, on the side to which the normal (*shape) leads."""
    x, point, threat = walk.case.x, walk.point, walk.threat
    return Arc(x, point, sideways((point - x)[None], normal[None], threat)[0], threat)


def estimate(walk: BoundaryWalk, params: SemicircleParams, k: int) -> Step[Numbers | None]:
    """Estimate the normal (*shape) where the walk stands, from the cloud of iteration k. None: there is none."""
    return (yield from walk.estimate(size(params.initial_directions, k), radius(walk, params.sigma)))
