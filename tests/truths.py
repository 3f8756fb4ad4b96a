"""Classifiers whose robust radius, Jacobian and cost are known in closed form, as models under audit.

They speak `algorithms.seam.access.Model` in plain numpy, compute in float64, give the same answer to a row alone and in
company (sums run along one row only), and keep every row they were sent: an account independent of the driver's.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.seam.access import Access, Labels, Rows, Scores
from algorithms.seam.labeling import named
from algorithms.seam.questions.decisions import Decide, Decision
from algorithms.seam.questions.gradient_norms import Ball, Differences
from algorithms.seam.questions.gradients import Cotangent, Gradients
from algorithms.seam.questions.margins import Region, Relaxation
from algorithms.seam.questions.nearest import AskNearest, Search, Vicinity
from algorithms.seam.questions.optimized_margins import OptimizedMargins
from tests.balls import least_change

Array = NDArray[np.float64]

POINTS = (1.1, 0.999)  # where a search for the nearest point looks on its way, in robust radii


class ClosedForm(ABC):
    """What the models below share: the protocol, and the account."""

    slices = 16  # rows a gradient question is worked through at once
    gives_probabilities = False  # tests may say otherwise

    def __init__(self, shape: tuple[int, ...], classes: int) -> None:
        self.shape = shape
        self.classes = classes
        self.offers = self.offering(Access.LABELS, Access.SCORES, Access.GRADIENTS)  # tests may take some away
        self.substitutes = self  # its gradients are the best there are
        self.queried: list[Rows] = []
        self.differentiated: list[Rows] = []

    def offering(self, *accesses: Access) -> dict[Access, Any]:
        """Itself, as the one who answers each of these."""
        return dict.fromkeys(accesses, self)

    @abstractmethod
    def logits(self, x: Array) -> Array:
        """(m, d) -> (m, classes)"""

    @abstractmethod
    def jacobian(self, x: Array) -> Array:
        """(m, d) -> (m, classes, d)"""

    @property
    def queries(self) -> int:
        return sum(map(len, self.queried))

    @property
    def gradient_count(self) -> int:
        return sum(map(len, self.differentiated))

    def labels(self, rows: Rows) -> Labels:
        return named(self.scores(rows))

    def scores(self, rows: Rows) -> Scores:
        self.queried.append(rows.copy())
        return self._scores(rows)

    def gradients(self, rows: Rows, cotangent: Cotangent) -> tuple[Scores, Gradients]:
        self.differentiated.append(rows.copy())
        scores, gradients = self._scores(rows), np.zeros(rows.shape, np.float32)
        for start in range(0, len(rows), self.slices):
            sent = np.arange(start, min(start + self.slices, len(rows)))
            slopes = np.asarray(cotangent(scores[sent], sent), np.float64)  # (s, classes)
            moved = (slopes[:, :, None] * self.jacobian(_flat(rows[sent]))).sum(axis=1)  # (s, d)
            gradients[sent] = moved.reshape(-1, *self.shape)
        return scores, gradients

    def largest_gradient_norms(self, asked: Sequence[Differences]) -> list[Array]:
        return [self._largest_norms(one.ball, one.label, one.rivals) for one in asked]

    def _largest_norms(self, ball: Ball, label: int, rivals: NDArray[np.int64]) -> Array:
        maxima = np.zeros((3, len(rivals)))
        for rows in ball.blocks():
            self.differentiated.append(rows.copy())
            jacobian = self.jacobian(_flat(rows)).astype(np.float32)  # (m, classes, d)
            for j, rival in enumerate(rivals):
                slopes = jacobian[:, label] - jacobian[:, rival]
                met = np.stack([lengths(slopes, norm.dual) for norm in NORMS]).max(axis=1)
                maxima[:, j] = np.maximum(maxima[:, j], np.where(np.isfinite(met), met, np.nan))  # NaN stays
        return maxima

    def hessian(self, x: Array) -> Array:
        """(m, d) -> (m, classes, d, d)"""
        return np.broadcast_to(0.0, (len(x), self.classes, x.shape[1], x.shape[1]))

    def kinks(self) -> tuple[str, ...]:
        return ()

    def hessian_products(self, rows: Rows, directions: Rows, labels: Labels, rivals: Labels) -> Rows:
        self.differentiated += [rows.copy(), rows.copy()]  # a product costs two gradients
        hessian, place = self.hessian(_flat(rows)), np.arange(len(rows))
        difference = hessian[place, labels] - hessian[place, rivals]  # (m, d, d)
        return (difference * _flat(directions)[:, None, :]).sum(axis=2).astype(np.float32).reshape(rows.shape)

    def _scores(self, rows: Rows) -> Scores:
        return self.logits(_flat(rows)).astype(np.float32)


class Optimized(ABC):
    """Margins that are exact leave nothing to optimize."""

    @abstractmethod
    def margins(self, region: Region, labels: Labels, rivals: NDArray[np.int64], relaxation: Relaxation) -> Array: ...

    def optimized_margins(self, region, labels, rivals, ascents, starts) -> OptimizedMargins:
        return OptimizedMargins(self.margins(region, labels, rivals, "crown"), starts)


class Linear(ClosedForm, Optimized):
    """f(x) = W x + b. Without a box r* = min over rivals of (f_c - f_j)(x) / ||w_c - w_j||_q, exactly."""

    def __init__(self, weights: Array, bias: Array, shape: tuple[int, ...] | None = None) -> None:
        super().__init__(shape or (weights.shape[1],), len(weights))
        self.offers[Access.BOUNDS] = self
        self.weights, self.bias = weights.astype(np.float64), bias.astype(np.float64)

    def logits(self, x: Array) -> Array:
        return _times(x, self.weights) + self.bias

    def jacobian(self, x: Array) -> Array:
        return np.broadcast_to(self.weights, (len(x), *self.weights.shape))

    def radius(self, x: Rows, label: int, norm: Norm | Counting, target: int | None = None) -> float:
        """r* of a sample (*shape) in an unbounded box, where one feature that counts for both classes is enough."""
        if isinstance(norm, Counting):
            return 1.0
        f = self.logits(_flat(x[None]))[0]
        rivals = [target] if target is not None else [j for j in range(self.classes) if j != label]
        reach = lengths(self.weights[label] - self.weights[rivals], norm.dual)
        return float(((f[label] - f[rivals]) / reach).min())

    def margins(self, region: Region, labels: Labels, rivals: NDArray[np.int64], relaxation: Relaxation) -> Array:
        """The true least margins over each ball within the box: no relaxation of a linear model loses anything."""
        f, found = self.logits(_flat(region.rows)), np.zeros(rivals.shape)
        for i, j in np.ndindex(rivals.shape):
            w = self.weights[labels[i]] - self.weights[rivals[i, j]]
            x = region.rows[i].astype(np.float64).ravel()
            change = least_change(w, x, float(region.radii[i]), region.threat.norm, region.threat.box)
            found[i, j] = f[i, labels[i]] - f[i, rivals[i, j]] + change
        return found

    def nearest(self, asked: Sequence[AskNearest]) -> list[Search]:
        """Where the margin of one rival after the other ends, by bisection. Points come first, not quite there."""
        return [self._nearest(one.vicinity, 1 if one.search is None else one.search.nodes + 1) for one in asked]

    def _nearest(self, around: Vicinity, nodes: int) -> Search:
        x, threat, label = around.x.astype(np.float64).ravel(), around.threat, around.label
        f, ends = self.logits(_flat(around.x[None]))[0], []
        for rival in range(self.classes) if around.target is None else [around.target]:
            w = self.weights[label] - self.weights[rival]
            if rival == label or f[label] - f[rival] + least_change(w, x, around.reach, threat.norm, threat.box) > 0:
                continue
            low, high = 0.0, around.reach
            for _ in range(60):
                middle = (low + high) / 2
                is_won = f[label] - f[rival] + least_change(w, x, middle, threat.norm, threat.box) > 0
                low, high = (middle, high) if is_won else (low, middle)
            ends.append((low, rival))
        if not ends:
            return Search(lower=around.reach, is_over=True, nodes=nodes)
        low, rival = min(ends)
        if nodes > len(POINTS):
            return Search(lower=low * (1 - 1e-6), is_over=True, nodes=nodes)
        slopes, radius = self.weights[label] - self.weights[rival], np.array([low * POINTS[nodes - 1]])
        change = threat.least(slopes[None], around.x.reshape(1, -1), radius)
        point = threat.clip(around.x + change.reshape(around.x.shape), around.x)
        return Search(lower=low / 2, point=point, nodes=nodes)

    def decide(self, asked: Sequence[Decide]) -> Sequence[Decision]:
        """The least margin itself, and where it lies: one domain is enough."""
        return [self._decision(question) for question in asked]

    def _decision(self, question: Decide) -> Decision:
        region, x = question.region, question.region.rows
        margins = self.margins(region, np.array([question.label]), question.rivals[None], "crown")[0]
        slopes = self.weights[question.label] - self.weights[question.rivals[margins.argmin()]]
        flat = region.threat.arranged(lambda each: each.reshape(-1) if each.ndim else each)
        least = x + flat.least(slopes[None], x.reshape(1, -1), region.radii).reshape(x.shape)
        witness = least[0].astype(np.float32) if margins.min() < 0 else None
        return Decision(float(margins.min()), 1, witness, None, held=0)


class TinyReLU(ClosedForm):
    """f(x) = V relu(W x + a) + b: linear on each region of constant signs of W x + a."""

    def __init__(self, W: Array, a: Array, V: Array, b: Array) -> None:
        super().__init__((W.shape[1],), len(V))
        self.W, self.a, self.V, self.b = W, a, V, b

    def logits(self, x: Array) -> Array:
        return _times(np.maximum(_times(x, self.W) + self.a, 0), self.V) + self.b

    def jacobian(self, x: Array) -> Array:
        on = _times(x, self.W) + self.a > 0  # (m, hidden)
        return np.stack([self.slopes(signs) for signs in on])

    def kinks(self) -> tuple[str, ...]:
        return ("Relu",)

    def slopes(self, on: NDArray[np.bool_]) -> Array:
        """Jacobian (classes, d) of the region where exactly these hidden units are on."""
        return self.V @ (self.W * on[:, None])


class TinyTanh(ClosedForm):
    """f(x) = V tanh(W x + a) + b, with its Jacobian and Hessians."""

    def __init__(self, seed: int, d: int = 2, hidden: int = 6, classes: int = 3) -> None:
        super().__init__((d,), classes)
        rng = np.random.default_rng(seed)
        self.W, self.V = rng.normal(size=(hidden, d)), rng.normal(size=(classes, hidden))
        self.a, self.b = rng.normal(size=hidden), rng.normal(size=classes)

    def _bent(self, x):
        return np.tanh((x[:, None, :] * self.W).sum(axis=2) + self.a)  # (m, hidden)

    def logits(self, x):
        return (self._bent(x)[:, None, :] * self.V).sum(axis=2) + self.b

    def jacobian(self, x):
        steep = 1 - self._bent(x) ** 2
        return (self.V[None, :, :, None] * steep[:, None, :, None] * self.W).sum(axis=2)

    def hessian(self, x):
        bent = self._bent(x)
        curved = -2 * bent * (1 - bent**2)  # (m, hidden)
        outer = self.W[:, :, None] * self.W[:, None, :]  # (hidden, d, d)
        return (self.V[None, :, :, None, None] * curved[:, None, :, None, None] * outer).sum(axis=2)


class Disc(ClosedForm):
    """Two classes, 0 inside: f(x) = (rim^2 - ||x - center||_2^2, 0). r* in l2 is the distance to the rim."""

    def __init__(self, center: Array, rim: float) -> None:
        super().__init__(center.shape, 2)
        self.center, self.rim = center.astype(np.float64), rim

    def logits(self, x: Array) -> Array:
        inside = self.rim**2 - np.square(x - self.center).sum(axis=1)
        return np.stack([inside, np.zeros_like(inside)], axis=1)

    def jacobian(self, x: Array) -> Array:
        inside = -2 * (x - self.center)
        return np.stack([inside, np.zeros_like(inside)], axis=1)

    def hessian(self, x: Array) -> Array:
        inside = -2 * np.eye(x.shape[1])
        return np.broadcast_to(np.stack([inside, np.zeros_like(inside)]), (len(x), 2, *inside.shape))


class Staircase(ClosedForm):
    """A linear model behind rounding: nearly the same radius, but its gradient is zero wherever it exists."""

    def __init__(self, linear: Linear, step: float) -> None:
        super().__init__(linear.shape, linear.classes)
        self.linear, self.step = linear, step

    def logits(self, x: Array) -> Array:
        return self.linear.logits(self.step * np.round(x / self.step))

    def kinks(self) -> tuple[str, ...]:
        return ("Round",)

    def jacobian(self, x: Array) -> Array:
        return np.zeros((len(x), self.classes, x.shape[1]))


class Constant(ClosedForm, Optimized):
    """The same scores for every input: nothing to find, nothing to fall over."""

    def __init__(self, values: Array, shape: tuple[int, ...]) -> None:
        super().__init__(shape, len(values))
        self.offers[Access.BOUNDS] = self
        self.values = values.astype(np.float64)

    def logits(self, x: Array) -> Array:
        return np.broadcast_to(self.values, (len(x), self.classes))

    def jacobian(self, x: Array) -> Array:
        return np.zeros((len(x), self.classes, x.shape[1]))

    def margins(self, region: Region, labels: Labels, rivals: NDArray[np.int64], relaxation: Relaxation) -> Array:
        return self.values[labels][:, None] - self.values[rivals]

    def nearest(self, asked: Sequence[AskNearest]) -> list[Search]:
        return [Search(lower=self._held(one.vicinity), is_over=True, nodes=1) for one in asked]

    def _held(self, around: Vicinity) -> float:
        """All the way, unless there is a tie."""
        return around.reach if np.delete(self.values, around.label).max() < self.values[around.label] else 0.0

    def decide(self, asked: Sequence[Decide]) -> Sequence[Decision]:
        return [Decision(float((self.values[q.label] - self.values[q.rivals]).min()), 1, None, None, 0) for q in asked]


def dual_lengths(rows: NDArray[np.floating]) -> Array:
    """||row||_q for q dual to l1, l2, linf in this order: (m, *shape) -> (3, m)."""
    return np.stack([lengths(rows, norm.dual) for norm in NORMS])


def _flat(rows: Rows) -> Array:
    """(m, *shape) -> (m, d) in float64"""
    return rows.reshape(len(rows), -1).astype(np.float64)


def _times(x: Array, weights: Array) -> Array:
    """(m, d), (k, d) -> (m, k), each sum along one row: BLAS would let a row's answer depend on its company."""
    return (x[:, None, :] * weights[None, :, :]).sum(axis=2)
