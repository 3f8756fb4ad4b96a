"""What one sample's distances to a nearest-neighbor model's points prove about its robust radius, in closed form.

Moving x by d makes a point j of another class at least as near as a point i of the sample's own class where

    a.d >= b  with  a = 2 M (x_j - x_i),  b = d(x, x_j) - d(x, x_i)      so  ||d|| >= b / ||a||

(Wang et al. 2019, arXiv:1906.03972; with M: Wang et al. 2020, arXiv:2006.07024, Theorem 1). The model computes its
distances in float64, and so do we. Distances of own points are raised and those of others lowered by what both
roundings can amount to, here and at any input within `reach`, so that a bound holds for the model as it runs.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.questions.neighbors import Neighbors
from algorithms.threats.threat import Threat

UNIT = 2.0**-53  # a rounding in float64
SMALLEST = float(np.finfo(np.float64).tiny)

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Surroundings are those of a sample of some class among a model's points, which indices number."""

    neighbors: Neighbors
    origin: Numbers  # (d,): the sample
    lower: Numbers  # (d,) <= 0: how far the box lets each feature move
    upper: Numbers  # (d,) >= 0
    reach: float  # no bound here is larger; beyond, roundings are not accounted for
    own: Indices  # points of the sample's class, nearest first
    others: Indices
    squared: Numbers  # (n,): d(x, x_i)
    rounding: Numbers  # (n,): what rounding can do to each of them, times two

    @classmethod
    def of(cls, neighbors: Neighbors, x: NDArray[np.float32], label: int, threat: Threat) -> Self:
        """Look around a sample (*shape)."""
        z = x.astype(np.float64).ravel()
        lower, upper = _room(x, threat)
        features = neighbors.map(z[None])
        squared = neighbors.squared_distances(features)[0]
        own = np.flatnonzero(neighbors.y == label)
        reach = _reach(neighbors, z, label, lower, upper)
        return cls(
            neighbors,
            z,
            lower,
            upper,
            reach,
            own[np.argsort(squared[own], kind="stable")],
            np.flatnonzero(neighbors.y != label),
            squared,
            _rounding(neighbors, squared, float(np.linalg.norm(z)), reach),
        )

    @cached_property
    def own_pulled(self) -> Numbers:
        """Give `Neighbors.pulled` of the own points, (p, d), nearest first."""
        return self.neighbors.pulled[self.own]

    @property
    def high(self) -> Numbers:
        return self.squared + self.rounding

    @property
    def low(self) -> Numbers:
        return self.squared - self.rounding

    def pair_bounds(self, own: Indices) -> Numbers:
        """Bound how far to move at least until an other point is as near as an own one: (p, q), for all others.

        0 for two points that the metric takes for one: they are as near from everywhere.
        """
        pulled, others = self.neighbors.pulled, self.others
        apart = _distances_at_most(pulled[own], pulled[others]) + self.pulled_rounding(own)[:, None]  # (p, q)
        ahead = self.low[others] - self.high[own][:, None]
        slopes = np.maximum(
            2 * (apart + self.pulled_rounding(others)), SMALLEST
        )  # 0 / 0 would drop out of every minimum
        return np.maximum(ahead, 0) / slopes * (1 - 8 * UNIT)

    def pulled_rounding(self, points: Indices) -> Numbers:
        """Bound the rounding of each row of `pulled`, as a vector: (p,)."""
        known = self.neighbors
        if known.factor is None:
            return np.zeros(len(points))
        terms = len(known.factor) + 2
        return np.asarray(terms * UNIT * known.gain * np.linalg.norm(known.features[points], axis=1))

    def majority_bound(self, pairs: Numbers) -> float:
        """Bound from below, by pair bounds (p, q), how far the sample keeps its majority among k neighbors.

        To lose, its class must be down to floor(k/2) of the k votes (a tie may be lost). Then at least ceil(k/2)
        others are among the k nearest, each nearer than all own points but floor(k/2) at most. So the bound is the
        ceil(k/2)-th smallest, over the others, of the (floor(k/2) + 1)-th largest pair bound. Leaving own points out
        can only lower it.
        """
        k = self.neighbors.k
        needed, spared = (k + 1) // 2, k // 2
        if pairs.shape[1] < needed:
            return self.reach
        if len(pairs) <= spared:
            return 0.0
        surely = np.partition(pairs, len(pairs) - 1 - spared, axis=0)[len(pairs) - 1 - spared]
        return min(self.reach, float(np.partition(surely, needed - 1)[needed - 1]))


def _room(x: NDArray[np.float32], threat: Threat) -> tuple[Numbers, Numbers]:
    """How far each feature can move down and up, not a rounding less: (d,) each."""
    z = x.astype(np.float64)
    least, most = threat.limits(z)
    lower, upper = np.minimum(least - z, 0).ravel(), np.maximum(most - z, 0).ravel()
    return lower * (1 + 2 * UNIT), upper * (1 + 2 * UNIT)


def _reach(neighbors: Neighbors, z: Numbers, label: int, lower: Numbers, upper: Numbers) -> float:
    """No radius needs to be looked for beyond: the box ends, or every point has been passed.

    With one neighbor the nearest point of another class in the box settles it: there the answer changes, or is a tie.
    """
    with np.errstate(over="ignore"):
        corner = float(np.linalg.norm(np.maximum(upper, -lower)))
    offsets = neighbors.x - z
    away = np.sqrt(np.square(offsets).sum(axis=1))
    if neighbors.k == 1:
        allowed = (neighbors.y != label) & ((offsets >= lower) & (offsets <= upper)).all(axis=1)
        if allowed.any():
            return float(away[allowed].min())
    return min(corner, float(away.max()))


def _rounding(neighbors: Neighbors, squared: Numbers, length: float, reach: float) -> Numbers:
    """Twice what rounding can do to d(x', x_i), (n,), for every input x' within reach of one of this length.

    A sum of r squared differences has relative error (r + 3) 2^-53; mapping x' moves its features by d 2^-53 ||G||
    ||x'|| at most, which a distance of w feels as 2 w times that.
    """
    d, r = neighbors.x.shape[1], neighbors.features.shape[1]
    moved = 0.0 if neighbors.factor is None else (d + 2) * UNIT * neighbors.gain * (length + reach)
    width = np.sqrt(squared) * (1 + (r + 8) * UNIT) + neighbors.gain * reach + 2 * moved
    return np.asarray(2 * ((r + 8) * UNIT * width**2 + 3 * moved * width))


def _distances_at_most(rows: Numbers, others: Numbers) -> Numbers:
    """At least ||row - other||_2, (p, d), (q, d) -> (p, q): by one matrix product, with its rounding added."""
    sizes = np.square(rows).sum(axis=1)[:, None] + np.square(others).sum(axis=1)  # (p, q)
    rounding = 4 * (rows.shape[1] + 8) * UNIT * sizes
    return np.asarray(np.sqrt(np.maximum(sizes - 2 * rows @ others.T, 0) + rounding) * (1 + 4 * UNIT))
