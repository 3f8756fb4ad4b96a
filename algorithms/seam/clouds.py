"""Clouds: many random points around one, described instead of drawn, and what is kept of the model's labels on them.

Cloud and reduction are data and a small accumulator, so that a cloud of any size passes through bounded memory, and
an endpoint and an in-process model see the same points.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Labels, Rows
from algorithms.seam.streams import Stream
from algorithms.seam.threat import Box

BLOCK = 64  # points drawn at once: bounds memory, and fixes the draw whatever the batch size of the model


class Directions(Protocol):
    """A law of random offsets: Gaussian noise, unit directions of a subspace, ..."""

    def draw(self, rng: np.random.Generator, m: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """(m, *shape)"""
        ...


@dataclass(frozen=True)
class Cloud:
    """n points x + scale * offset, clipped to the box."""

    x: Rows  # (*shape)
    scale: float
    directions: Directions
    n: int
    box: Box
    stream: Stream
    counter: int  # first of the stream's counters that this cloud uses: one a block

    @property
    def counters(self) -> int:
        """How many of the stream's counters it uses."""
        return -(-self.n // BLOCK)

    def blocks(self) -> Iterator[Rows]:
        """The n points in blocks of at most BLOCK rows: (m, *shape) each."""
        scale = np.float32(self.scale)
        for number in range(self.counters):
            m = min(BLOCK, self.n - number * BLOCK)
            offsets = self.directions.draw(self.stream.at(self.counter + number), m, self.x.shape)
            yield np.clip(self.x + scale * offsets, self.box.lower, self.box.upper, dtype=np.float32)


class Reduction(Protocol):
    """What is kept of a cloud's labels, fed block by block in order."""

    def feed(self, points: Rows, labels: Labels) -> None: ...

    @property
    def answer(self) -> Any: ...


class Votes:
    """How often each class was answered: (classes,) int64."""

    def __init__(self, classes: int) -> None:
        self.answer = np.zeros(classes, np.int64)

    def feed(self, points: Rows, labels: Labels) -> None:
        del points
        self.answer += np.bincount(labels, minlength=len(self.answer))


@dataclass
class Lean:
    """Where the adversarial points of a cloud lie: sums over u = (point - x) / scale, as clipping left it."""

    cloud: Cloud
    wins: Callable[[Labels], NDArray[np.bool_]]
    hits: int = 0
    sums: NDArray[np.float64] | float = 0.0  # (2, d): of u over the adversarial points, and over all points

    def feed(self, points: Rows, labels: Labels) -> None:
        # Float32 holds the difference of close numbers exactly, and a block is too short for its sums to lose much.
        offsets = (points - self.cloud.x).reshape(len(points), -1)  # (m, d)
        won = self.wins(labels)
        weights = np.stack([won, np.ones_like(won)]).astype(np.float32)
        self.hits += int(won.sum())
        self.sums = self.sums + (weights @ offsets) / self.cloud.scale

    @property
    def answer(self) -> "Lean":
        return self

    @property
    def normal(self) -> NDArray[np.float64]:
        """Estimate (*shape) of the boundary's normal, of no particular length, towards the adversarial side.

        sum of (v - mean v) u with v = 1 on the adversarial side and -1 on the other; where all points lie on one side,
        sum of v u (Chen et al. 2020, eq. 16 and appendix C).
        """
        towards, drift = np.asarray(self.sums, np.float64).reshape(2, *self.cloud.x.shape)
        if self.hits in (0, self.cloud.n):
            return np.asarray(drift if self.hits else -drift)
        return np.asarray(2 * (towards - self.hits / self.cloud.n * drift))
