"""The tangent point: where a line from the sample touches a hemisphere behind the boundary.

Ma, Guo, Chen, Yong, Wang: Finding Optimal Tangent Points for Reducing Distortions of Hard-label Attacks, NeurIPS 2021,
arXiv:2111.07492. The way back to the sample from a point of a ball around the boundary point, on the adversarial side,
crosses a flat boundary the nearer to the sample, the steeper it is: steepest of all from where it touches the ball.
Generalized, the ball is an ellipsoid that is longer along the normal, for boundaries that bend. In l2.
"""

import math

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Step
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.threats.threat import Threat

HALVINGS = 24  # of a radius: a smaller one is no move in float32. Neither paper nor code has an end here
PARALLEL = 1e-6  # a normal that leaves no more than this share of the way at its side leads, in float32, along it


def tangent_point(x: Rows, point: Rows, normal: Numbers, radii: tuple[float, float], threat: Threat) -> Numbers | None:
    """Find where a line from x touches the ellipsoid around a boundary point, on the side of its normal: (*shape).

    `normal` has length 1, `radii` are those at right angles to it and along it. In the plane of the normal and x, with
    the boundary point at 0 and its axes in units of the radii, the ellipsoid is the unit circle, and x the point p: the
    tangents touch it at p / |p|^2 +- sqrt(|p|^2 - 1) / |p|^2 q, for q = p turned by a right angle.

    None where x lies within the ellipsoid, or so exactly along the normal that there is no such plane.
    """
    short, long = radii
    away = x.astype(np.float64) - point
    height = float((away * normal).sum())  # mostly below 0: x lies on the other side
    aside = away - height * normal
    width, size = threat.lengths(np.stack([aside, away])).tolist()
    if width <= PARALLEL * size:
        return None
    p, q = width / short, height / long
    square = p * p + q * q
    if square <= 1:
        return None
    turned = math.sqrt(square - 1)
    return np.asarray(
        point + short * (p - turned * q) / square * (aside / width) + long * (q + turned * p) / square * normal
    )


def tangent_jump(walk: BoundaryWalk, normal: Numbers, k: int, ratio: float) -> Step[Rows | None]:
    """Jump to the tangent point of iteration k, whose radius R is halved until it is adversarial (algorithm 1).

    R begins at the distance / sqrt(k) along the normal, and is `ratio` times smaller across. None where it never is.
    """
    R = walk.distance / math.sqrt(k)
    for _ in range(HALVINGS):
        touched = tangent_point(walk.case.x, walk.point, normal, (R / ratio, R), walk.threat)
        if touched is not None:
            there: Rows = walk.threat.clip(touched, walk.case.x)
            if np.array_equal(there, walk.point):
                return None
            if (yield from walk.is_adversarial(there)):
                return there
        R /= 2
    return None
