"""A nearest-neighbor model whose every distance is computed in plain sight, and its robust radius by brute force.

The radius takes another way than the code under test: every point of another class, no screening, and the quadratic
program as a problem of least distance by non-negative least squares (Lawson and Hanson 1974, chapter 23).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Access, Labels, Rows
from algorithms.seam.questions.neighbors import Neighbors
from algorithms.threats.threat import Box
from tests.truths import ClosedForm

Array = NDArray[np.float64]


class Nearest(ClosedForm):
    """Offers labels and neighbors. Scores, which nobody gets: minus the least distance to a point of each class."""

    def __init__(
        self, x: Array, y: NDArray[np.int64], *, shape: tuple[int, ...] | None = None, classes: int = 2
    ) -> None:
        super().__init__(shape or (x.shape[1],), max(classes, int(y.max()) + 1))
        self.offers = self.offering(Access.LABELS, Access.NEIGHBOURS)
        self.points = Neighbors(x.astype(np.float64), y.astype(np.int64), 1)

    def neighbors(self) -> Neighbors:
        return self.points

    def labels(self, rows: Rows) -> Labels:
        self.queried.append(rows.copy())
        return self.logits(rows.reshape(len(rows), -1).astype(np.float64)).argmax(axis=1)

    def logits(self, x: Array) -> Array:
        squared = np.square(x[:, None, :] - self.points.x).sum(axis=2)  # (m, n)
        away = [squared[:, self.points.y == label].min(axis=1, initial=np.inf) for label in range(self.classes)]
        return -np.stack(away, axis=1)

    def radius(self, x: Rows, label: int, norm: Norm) -> float:
        """r* of a sample (*shape) in an unbounded box, in l2."""
        assert norm is Norm.L2
        return exact_radius(self.points, x.astype(np.float64).ravel(), label, Box.unbounded())

    def jacobian(self, x: Array) -> Array:
        raise TypeError("labels have no gradient")


def exact_radius(model: Neighbors, z: Array, label: int, box: Box) -> float:
    """r* of a 1-nearest-neighbor model in l2, infinite where the box allows no change."""
    lower, upper = np.broadcast_to(box.lower, z.shape) - z, np.broadcast_to(box.upper, z.shape) - z
    metric = np.eye(len(z)) if model.factor is None else model.factor.T @ model.factor
    own, found = model.x[model.y == label], [np.inf]
    for other in model.x[model.y != label]:
        rows = -2 * (own - other) @ metric
        sizes = [np.einsum("ij,jk,ik->i", p - z, metric, p - z) for p in (own, other[None])]
        bounds = sizes[1] - sizes[0]
        if box.is_bounded:
            rows = np.concatenate([rows, np.eye(len(z)), -np.eye(len(z))])
            bounds = np.concatenate([bounds, lower, -upper])
        found.append(_least_distance(rows, bounds))
    return min(found)


def _least_distance(rows: Array, bounds: Array) -> float:
    """min ||d|| with rows d >= bounds; infinite where there is no such d."""
    ones = np.concatenate([rows.T, bounds[None]])
    target = np.zeros(len(ones))
    target[-1] = 1
    weights, residual = nnls(ones, target, maxiter=100 * len(bounds))
    if residual < 1e-9:
        return np.inf
    r = ones @ weights - target
    return float(np.linalg.norm(r[:-1] / r[-1]))
