"""The exact robust radius of a 1-nearest-neighbor classifier: the nearest place where another class takes over.

For each point j of another class one problem is solved (Wang et al. 2019, arXiv:1906.03972, section 3): the shortest
move within the box that brings the sample at least as near to j as to every point i of its own class. The radius is
the least of them. Pair bounds tell most of these problems to be hopeless before they are begun, and a climbing dual
tells most of the others early; both leave the answer as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from algorithms.certificates.nearest_neighbor.dual_ascent import DualAscent
from algorithms.certificates.nearest_neighbor.surroundings import Indices, Surroundings
from algorithms.mathematics.arrays import Numbers

FIRST = 100  # own points a problem begins with, the nearest: few others ever bind
MORE = 16  # own points added at once, of those that the solution so far comes too near to
SURPLUS = 1 + 1e-6  # over the limit, at which a dual is left: more than its certificate loses by rounding


@dataclass(frozen=True)
class Crossing:
    """A crossing is where a point of another class becomes the nearest."""

    lower: float  # no shorter move gets there
    upper: float = np.inf  # length of `offset`
    offset: Numbers | None = None  # (d,): a move that gets there, but for rounding; None where none was looked for


@dataclass(frozen=True)
class Radius:
    """A radius is known so far as lower <= r* <= upper."""

    lower: float
    upper: float = np.inf
    offset: Numbers | None = None
    point: int | None = None  # the model's point that `offset` makes the nearest
    solved: int = 0  # problems


def radii(around: Surroundings, floors: Numbers, *, enough: float = np.inf) -> Iterator[Radius]:
    """Yield what is known of the radius, ever better, once a problem solved and once before. Look as far as `enough`.

    `floors` (q,): what is known of each other point's problem. Zeros screen nothing.
    """
    order = np.argsort(floors, kind="stable")
    waiting = np.append(floors[order], np.inf)  # (q + 1,)
    reached, best = around.reach, Crossing(np.inf)
    point: int | None = None
    yield Radius(min(reached, float(waiting[0])))
    for solved, position in enumerate(order, start=1):
        limit = min(best.upper, around.reach, enough)
        if floors[position] >= limit:
            return
        found = cross(around, int(around.others[position]), limit)
        reached = min(reached, found.lower)
        if found.upper < best.upper:
            best, point = found, int(around.others[position])
        yield Radius(min(reached, float(waiting[solved])), best.upper, best.offset, point, solved)


def cross(around: Surroundings, point: int, limit: float) -> Crossing:
    """Solve one point's problem, or leave it as soon as it needs a longer move than `limit`."""
    pulled = around.neighbors.pulled[point]
    bounds = around.high[around.own] - around.low[point]  # (p,)
    ascent = DualAscent(around.lower, around.upper)
    taken: Indices = np.zeros(0, np.int64)  # positions among own points
    fresh: Indices = np.arange(min(FIRST, len(around.own)))
    while len(fresh):
        taken = np.concatenate([taken, fresh])
        ascent.extend(2 * (around.own_pulled[fresh] - pulled), bounds[fresh])
        ascent.climb(SURPLUS * limit**2 / 2)
        blur = 2 * (around.pulled_rounding(around.own[taken]) + around.pulled_rounding(np.array([point])))
        lower = ascent.certified(blur)
        if lower >= limit:
            return Crossing(lower)
        excess = _excess(around, point, ascent.at.offset)
        excess[taken] = 0
        fresh = np.argsort(-excess, kind="stable")[:MORE]
        fresh = fresh[excess[fresh] > 0]
    return _with_witness(around, point, lower, ascent.at.offset)


def _excess(around: Surroundings, point: int, offset: Numbers) -> Numbers:
    """By how much each own point stays nearer than `point` after a move, beyond rounding: (p,)."""
    lead = 2 * (around.own_pulled @ offset - around.neighbors.pulled[point] @ offset)
    return np.asarray(lead - (around.high[around.own] - around.low[point]) - around.rounding[point])


def _with_witness(around: Surroundings, point: int, lower: float, offset: Numbers) -> Crossing:
    """Go on towards the point itself until it is the nearest: a convex combination, so it stays within the box."""
    end = np.clip(around.neighbors.x[point] - around.origin, around.lower, around.upper)
    missing, spare = _excess(around, point, offset), -_excess(around, point, end)
    if (spare < 0).any():
        return Crossing(lower)  # the point lies outside the box, and its projection is not nearest to it
    missing = np.maximum(missing, 0)
    share = float((missing / np.maximum(missing + spare, np.finfo(np.float64).tiny)).max(initial=0.0))
    witness = offset + share * (end - offset)
    return Crossing(lower, float(np.linalg.norm(witness)), witness)
