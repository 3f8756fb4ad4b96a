"""The steepest downward curvature of margins at given points, by Lanczos steps on products with the Hessian.

The Hessian H of a margin has one entry for each pair of features and is never formed. A Lanczos step asks for one
product H v, and after k of them the least eigenvalue of a k by k matrix is the least of v.Hv / v.v over all v in the
space that they span: at most k products away from the truth, and never on its far side. Weng et al. (2018) take two
power iterations, of up to 500 products each, to the same end; the same few products show more this way (Paige 1971).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Step
from algorithms.seam.questions.hessians import AskHessianProduct

AT_ONCE = 2**20  # features of all rows of a question: what a basis of k such questions holds in memory
STARTS = 1_000_000  # counter of the stream for first directions: beyond those of all points
SPENT = 1e-5  # of the first product's length: what is left of a later one is rounding


@dataclass
class Curvature:
    """A curvature asks for those of one sample's margins, and remembers how many first directions were drawn."""

    case: Case
    steps: int
    draws: int = 0

    def downward(self, points: Rows, rivals: NDArray[np.int64]) -> Step[Numbers]:
        """Find -(least eigenvalue) of the Hessian of each rival's margin at points (m, *shape): (m, rivals).

        Below the truth by what `steps` miss; below 0 where the margin curves upwards all round. NaN where a product is
        not finite.
        """
        m, r = len(points), len(rivals)
        rows, aims = np.repeat(points, r, axis=0), np.tile(rivals, m)
        size = max(1, AT_ONCE // self.case.x.size)
        found: list[Numbers] = []
        for start in range(0, m * r, size):
            part = slice(start, start + size)
            found.append((yield from self._least(rows[part], aims[part])))
        return -np.concatenate(found).reshape(m, r)

    def _least(self, rows: Rows, aims: NDArray[np.int64]) -> Step[Numbers]:
        """The least eigenvalue (m,) that Lanczos finds from a random direction, each row for itself."""
        rng = self.case.stream.at(STARTS + self.draws)
        self.draws += 1
        v = rng.normal(size=(len(rows), self.case.x.size))
        v /= _lengths(v)
        basis, diagonal, beside = [v], list[Numbers](), list[Numbers]()
        for step in range(min(self.steps, self.case.x.size)):
            w = yield from self._product(rows, basis[step], aims)
            diagonal.append((w * basis[step]).sum(axis=1))
            whole = _lengths(w)
            for _ in range(2):  # once leaves rounding behind
                for u in basis:
                    w -= (w * u).sum(axis=1)[:, None] * u
            left = _lengths(w)
            is_spent = left <= SPENT * whole
            beside.append(np.where(is_spent, 0.0, left)[:, 0])
            basis.append(np.where(is_spent, 0.0, w / np.where(is_spent, 1.0, left)))
        return _least_eigenvalue(np.stack(diagonal, axis=1), np.stack(beside, axis=1)[:, :-1])

    def _product(self, rows: Rows, v: Numbers, aims: NDArray[np.int64]) -> Step[Numbers]:
        """H v for flat v (m, d)."""
        ways, labels = v.astype(np.float32).reshape(rows.shape), np.full(len(rows), self.case.label)
        products = yield from AskHessianProduct(rows, directions=ways, labels=labels, rivals=aims)
        return np.asarray(products.reshape(len(rows), -1), np.float64)


def _lengths(v: Numbers) -> Numbers:
    """(m, d) -> (m, 1)"""
    return np.asarray(np.sqrt(np.square(v).sum(axis=1, keepdims=True)))


def _least_eigenvalue(diagonal: Numbers, beside: Numbers) -> Numbers:
    """Of symmetric tridiagonal matrices, (m, k) and (m, k - 1) -> (m,). NaN where one is not finite.

    Where the space was spent early, later entries are zero; the first diagonal entry in their place changes nothing,
    for the least eigenvalue is at most that.
    """
    k = diagonal.shape[1]
    is_past = np.asarray(np.concatenate([np.zeros((len(diagonal), 1)), beside == 0], axis=1).cumsum(axis=1) > 0)
    matrices = np.zeros((len(diagonal), k, k))
    place = np.arange(k)
    matrices[:, place, place] = np.where(is_past, diagonal[:, :1], diagonal)
    matrices[:, place[1:], place[:-1]] = beside
    is_finite = np.asarray(np.isfinite(matrices).all(axis=(1, 2)))
    least = np.linalg.eigvalsh(np.where(is_finite[:, None, None], matrices, 0.0))[:, 0]
    return np.where(is_finite, least, np.nan)
