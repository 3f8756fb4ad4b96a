"""The threat model: what an adversary may change, by how much, and to what end.

A threat owns its geometry. Wherever a method measures a change, keeps a point valid, or draws and projects points
around a sample, it asks the threat; no method measures or clips by itself. So what further limits a threat (a scale a
feature, frozen features, a lattice of values, edits) is a field here, which only this file and the mathematics it calls
read: scale in `lengths` and in what draws and projects, frozen features in `limits`, a lattice where valid points are
made and measured (`lattice.py`). Where candidates can be counted, their enumeration by distance stands beside the
sampling of balls.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, Self

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray
from typing_extensions import TypeVar

from algorithms.mathematics import counting, geometry, hyperplanes, linear_minimum, projections, proximal
from algorithms.mathematics.arrays import Array, Numbers
from algorithms.mathematics.geometry import Law
from algorithms.mathematics.norms import Counting, Norm
from algorithms.threats.lattice import Lattice

TargetRule = Literal["random", "least_likely", "runner_up", "given"]


@dataclass(frozen=True)
class Box:
    """A box holds the valid inputs: lower <= x <= upper elementwise, unbounded where infinite."""

    lower: NDArray[np.float32]  # () or (*shape)
    upper: NDArray[np.float32]  # () or (*shape)

    @classmethod
    def unbounded(cls) -> "Box":
        return cls(np.float32(-np.inf) * np.ones((), np.float32), np.float32(np.inf) * np.ones((), np.float32))

    @property
    def is_bounded(self) -> bool:
        return bool(np.all(np.isfinite(self.lower)) and np.all(np.isfinite(self.upper)))

    @property
    def is_unbounded(self) -> bool:
        """Tell whether every number is valid, in every feature."""
        return not (np.any(np.isfinite(self.lower)) or np.any(np.isfinite(self.upper)))

    @property
    def sides(self) -> NDArray[np.float64]:
        """Measure how far apart the ends of each feature are: () or (*shape), in float64."""
        return np.asarray(np.asarray(self.upper, np.float64) - self.lower)

    def middle(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Find the input (*shape) in the middle of a bounded box."""
        halves = (np.asarray(self.lower, np.float64) + self.upper) / 2
        return np.array(np.broadcast_to(halves, shape), np.float32)

    @property
    def typical_side(self) -> float:
        """Find the median side, the unit of steps that are small beside what is valid; 1 where all are infinite."""
        finite = self.sides[np.isfinite(self.sides)]
        return float(np.median(finite)) if finite.size else 1.0

    def contains(self, rows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which rows (m, *shape) are valid, (m,)."""
        inside = (rows >= self.lower) & (rows <= self.upper)
        return np.asarray(inside.reshape(len(rows), -1).all(axis=1))


N = TypeVar("N", bound=Norm | Counting, default=Norm, covariant=True)
_DEFAULT: Any = Norm.L2  # N is Norm where nothing else is said


@dataclass(frozen=True)
class Threat(Generic[N]):
    """A threat asks: is there an adversarial point within `epsilon`? None: how far is the nearest, how far is it safe?

    `Threat` alone measures by a norm with a dual, `Threat[Counting]` by counting: what needs a dual does not take it.
    In the methods `x` are the samples that points are near to, (m, *shape) or one that stands for all, (*shape).
    """

    norm: N = _DEFAULT
    box: Box = Box(np.zeros((), np.float32), np.ones((), np.float32))
    epsilon: float | None = None
    targeted: TargetRule | None = None
    pixels: NDArray[np.int64] | None = None  # (*shape) of a count: each feature's pixel; None: features are counted
    lattice: Lattice | None = None  # of a bounded box; None: features may have any value of it

    def limits(self, x: Array) -> tuple[Array, Array]:
        """Find the least and the largest value that each feature of the samples may be given; they broadcast to x."""
        del x  # a feature that must stay as it is would have both ends there
        return self.box.lower, self.box.upper

    def allows(self, y: NDArray[np.float32], x: NDArray[np.float32]) -> bool:
        """Tell whether one sample x may be changed to y, (*shape) each, if distance does not matter."""
        ends = self.limits(x)
        is_valid = bool(np.isfinite(y).all()) and bool(Box(*ends).contains(y[None]).all())
        return is_valid and (self.lattice is None or bool(np.all(self.lattice.holds(y, ends))))

    def clip(self, rows: Array, x: Array, *, out: NDArray[np.float32] | None = None) -> Array:
        """Find the valid inputs (m, *shape) float32 nearest to the rows."""
        if self.lattice is None:
            return geometry.clip(rows, *self.limits(x), out=out)
        nearest = self.lattice.nearest(rows, self.limits(x))
        if out is None:
            return nearest
        out[...] = nearest
        return out

    @property
    def spacing(self) -> float:
        """Measure how far apart valid values are in most features; 0 where no two are neighbors."""
        return 0.0 if self.lattice is None else float(np.median(self.lattice.step((self.box.lower, self.box.upper))))

    def hull(self, x: Array, radius: Any) -> tuple[Array, Array]:
        """Find the ends of each feature within balls: what may be reached, and is valid. Radii broadcast to x."""
        lower, upper = self.limits(x)
        if isinstance(self.norm, Counting):  # each feature may be the one that is changed, to anything valid
            return np.where(radius >= 1, lower, x), np.where(radius >= 1, upper, x)
        low, high = np.maximum(x - radius, lower), np.minimum(x + radius, upper)
        return (low, high) if self.lattice is None else self.lattice.inwards(low, high, (lower, upper))

    def is_cut(self, x: NDArray[Any], radius: float) -> bool:
        """Tell whether some points of the ball around one sample are not valid."""
        center = x.astype(np.float64)
        lower, upper = self.limits(x)
        if isinstance(self.norm, Counting):  # a ball has no end but the box's
            return bool(radius >= 1 and (np.any(np.isfinite(lower)) or np.any(np.isfinite(upper))))
        return bool(np.any(center - radius < lower) or np.any(center + radius > upper))

    def farthest(self, x: Array) -> Array:
        """Measure how far (m,) the farthest valid input is from samples (m, *shape); differences in x's precision."""
        lower, upper = self.limits(x)
        xp = array_namespace(x)
        return self.lengths(xp.maximum(upper - x, x - lower))

    def lengths(self, offsets: Array) -> Array:
        """Measure the size (m,) of each change (m, *shape), summed in float64."""
        return geometry.lengths(offsets, self.norm, self.pixels)

    def distance(self, y: NDArray[Any], x: NDArray[Any]) -> float:
        """Measure the distance of one point from one sample, (*shape) each, in float64."""
        if self.lattice is not None:
            y, x = self.lattice.away(y, x, self.limits(x)), np.zeros(x.shape)
        return geometry.distance(y, x, self.norm, self.pixels)

    def dual_lengths(self: "Threat", gradients: Array) -> Array:
        """Measure gradients (m, *shape) by the dual norm, (m,): what a loss can gain per distance, to first order."""
        return geometry.lengths(gradients, self.norm.dual)

    def ascent_direction(self: "Threat", gradients: Array) -> Array:
        """Find directions as `algorithms.mathematics.geometry.ascent_direction` does, in this norm."""
        return geometry.ascent_direction(gradients, self.norm)

    def project(self, rows: Array, x: Array, radius: Array) -> Array:
        """Find the valid inputs within radius (m,) of x that are nearest to the rows in l2: flat, (m, d) float32."""
        if isinstance(self.norm, Norm):
            near = projections.project(rows, x, radius, self.norm, *self.limits(x))
        else:
            near = counting.project(rows, x, radius, *self.limits(x), self.pixels)
        return near if self.lattice is None else self.lattice.towards(near, x, self.limits(x))

    def reach(self, slopes: Numbers, missing: Numbers, x: NDArray[np.float32]) -> Numbers:
        """Measure how far (m,) a linear function with these slopes (m, d) has to be followed to grow by more.

        `missing` (m,): by how much. A norm knows no box here; a count does. inf where it does not grow so far.
        """
        if not isinstance(self.norm, Norm):
            return counting.fewest(slopes, missing, x, *self.limits(x), self.pixels)
        steep = geometry.lengths(slopes, self.norm.dual)
        return np.where(steep > 0, missing / np.where(steep > 0, steep, 1.0), np.inf)

    def crossing(
        self: "Threat[Counting]", slopes: Numbers, missing: Numbers, count: Numbers, x: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Find the valid points (m, d) with `count` (m,) changes at which linear functions as in `reach` grow most."""
        return counting.crossing(slopes, missing, count, x, *self.limits(x), self.pixels)

    def step_onto_plane(self: "Threat", points: Array, slopes: Array, gaps: Array) -> Array:
        """Find the least changes (m, d) of valid flat points at which gaps (m,) with these slopes (m, d) close.

        They end as near as they can, where what is valid holds no such point.
        """
        return hyperplanes.step_onto(points, slopes, gaps, self.norm, *self.limits(points))

    def least(self: "Threat", slopes: Numbers, x: NDArray[np.float32], radius: Numbers) -> Numbers:
        """Find the changes (m, d) within radius (m,) and box at which linear functions with these slopes are least."""
        return linear_minimum.least(slopes, x, radius, self.norm, *self.limits(x))

    def shrink(self: "Threat", rows: Array, x: Array, threshold: Array) -> Array:
        """Compute the norm's proximal operator of changes, with thresholds (m,): flat valid inputs (m, d) float32."""
        return proximal.shrink(rows, x, threshold, self.norm, *self.limits(x))

    def draw_in_ball(
        self: "Threat", rng: np.random.Generator, m: int, shape: tuple[int, ...], *, radius: float, law: Law
    ) -> NDArray[np.float32]:
        """Draw changes (m, *shape) from the ball of this radius, by the laws of `algorithms.mathematics.geometry`."""
        return geometry.sample_ball(rng, m, shape, norm=self.norm, radius=radius, law=law)

    def draw_on_sphere(
        self: "Threat", rng: np.random.Generator, m: int, shape: tuple[int, ...], *, radius: float
    ) -> NDArray[np.float64]:
        """Draw changes (m, *shape) of just this size."""
        return geometry.sample_sphere(rng, m, shape, norm=self.norm, radius=radius)

    def draw_changed(
        self: "Threat[Counting]", rng: np.random.Generator, m: int, x: NDArray[np.float32], *, count: float
    ) -> NDArray[np.float32]:
        """Draw valid points (m, *shape) that change so much of one sample (*shape), as `counting.draw` does."""
        flat = self._flat(x)
        rows = counting.draw(rng, m, x.reshape(1, -1), count, *flat.limits(x), flat.pixels)
        return np.asarray(self.clip(rows.reshape(m, *x.shape), x))

    def keep_changes(
        self: "Threat[Counting]", point: NDArray[np.float32], x: NDArray[np.float32], *, count: float, order: Numbers
    ) -> NDArray[np.float32]:
        """Keep so many of the changes that lead from one sample to a point (*shape) each, by their order (d,)."""
        kept = counting.fewer(
            point.reshape(1, -1), x.reshape(1, -1), np.array([count]), order[None], self._flat(x).pixels
        )
        return kept.reshape(x.shape)

    def _flat(self, x: NDArray[Any]) -> Self:
        """The same threat for samples (d,) that were (*shape)."""
        return self.arranged(lambda side: np.broadcast_to(side, x.shape).reshape(1, -1))

    def arranged(self, view: Callable[[Any], Any]) -> Self:
        """Make the same threat for samples laid out otherwise.

        `view`: of what the threat says of each feature, (*shape) or one number () for all.
        """
        pixels = None if self.pixels is None else view(self.pixels)
        return replace(self, box=Box(view(self.box.lower), view(self.box.upper)), pixels=pixels)
