"""AskNeighbors: a nearest-neighbor classifier laid open, its points and how it measures."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Access, Model
from algorithms.seam.question import Paid, Question


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The classifier answers the majority of the k points nearest to the input, by d(x, x') = ||G (x - x')||_2^2.

    That is (x - x')^T M (x - x'), and M = G^T G may be any positive semidefinite matrix. Rows are flat here: d
    features, r of them after G.
    """

    x: Numbers  # (n, d)
    y: NDArray[np.int64]  # (n,)
    k: int
    factor: Numbers | None = None  # G (r, d); None: the identity, plain Euclidean distance

    @cached_property
    def features(self) -> Numbers:
        """Compute G x of every point, (n, r). The classifier compares these very numbers, by its definition."""
        return self.x if self.factor is None else self.x @ self.factor.T

    @cached_property
    def pulled(self) -> Numbers:
        """Compute G^T G x of every point, (n, d): half the gradients of d(., x), but for a common term."""
        return self.x if self.factor is None else self.features @ self.factor

    @cached_property
    def gain(self) -> float:
        """Bound ||G|| from above: how much longer than an offset its features can be."""
        return 1.0 if self.factor is None else float(np.linalg.norm(self.factor)) * (1 + 1e-12)

    def map(self, rows: Numbers) -> Numbers:
        """Multiply each row by G, (m, d) -> (m, r). A row's answer does not depend on its company."""
        if self.factor is None:
            return rows
        return np.asarray(np.matmul(self.factor, rows[:, :, None])[:, :, 0])

    def squared_distances(self, features: Numbers) -> Numbers:
        """Compute ||.||_2^2 from mapped inputs (m, r) to all points: (m, n), each sum along one row of differences."""
        return np.stack([np.square(self.features - row).sum(axis=1) for row in features])


class LaidOpen(Protocol):
    """Whoever is `LaidOpen` offers `Access.NEIGHBOURS`."""

    def neighbors(self) -> Neighbors:
        """Return the points that a nearest-neighbor model compares its input with."""
        ...


@final
@dataclass(frozen=True)
class AskNeighbors(Question[Neighbors]):
    """`AskNeighbors` is answered by the model's own `Neighbors`. It costs nothing: the model computes nothing."""

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskNeighbors"]]) -> Sequence[Neighbors]:
        laid_open: LaidOpen = model.offers[Access.NEIGHBOURS]
        return [laid_open.neighbors()] * len(asked)
