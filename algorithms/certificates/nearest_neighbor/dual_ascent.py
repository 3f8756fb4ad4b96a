"""The shortest offset that meets linear constraints within a box, by ascent of its dual.

    primal   min 1/2 ||d||^2   over lower <= d <= upper with A d <= b
    dual     max over w >= 0 of   min over lower <= d <= upper of  1/2 ||d||^2 + w.(A d - b)

The inner minimum is d = clip(-A^T w) feature by feature, so the box costs no multipliers. Any w >= 0 proves the primal
to be at least the dual's value; that is why this side is climbed, and why it may be left at any moment.

Greedy coordinate ascent (Wang et al. 2019, arXiv:1906.03972) finds out which constraints bind. It is slow where they
are nearly parallel, so each move is followed by a Newton step on the constraints that bind, as an active-set method
would take it.
"""

from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.arrays import Numbers

MOVES = 20_000  # as in the authors' code
SMALLEST_GAIN = 1e-15  # of the value, below which a move is rounding
DROPPED = 1e-12  # share of a weight that is left of it where a Newton step was to end at 0
HALVINGS = 30
VANISHED = 1e-200  # ||a||^2 of a constraint that no move can change, and so never binds
UNIT = 2.0**-53  # a rounding in float64


@dataclass(frozen=True)
class Point:
    """A point is the dual at some weights."""

    weights: Numbers  # (m,)
    offset: Numbers  # (d,): the inner minimum
    pull: Numbers  # (d,): A^T w
    value: float


class DualAscent:
    """A dual ascent climbs from w = 0. `at` is the best point so far."""

    def __init__(self, lower: Numbers, upper: Numbers) -> None:
        """Without a constraint, to be extended. 0 lies in the box: lower <= 0 <= upper, (d,) each."""
        self._lower, self._upper = lower, upper
        self.rows: Numbers = np.zeros((0, len(lower)))  # A (m, d)
        self.bounds: Numbers = np.zeros(0)  # b (m,)
        self._curvatures: Numbers = np.zeros(0)  # (m,): ||a||^2
        self.at = self._point(np.zeros(0))

    def extend(self, rows: Numbers, bounds: Numbers) -> None:
        """Add constraints, not binding yet. The value stays."""
        self.rows, self.bounds = np.concatenate([self.rows, rows]), np.concatenate([self.bounds, bounds])
        self._curvatures = np.maximum(np.square(self.rows).sum(axis=1), VANISHED)
        self.at = self._point(np.concatenate([self.at.weights, np.zeros(len(rows))]))

    def climb(self, enough: float) -> None:
        """Climb until no move gains anything, or the value is enough."""
        for _ in range(MOVES):
            slopes = self.rows @ self.at.offset - self.bounds  # (m,)
            moves = np.maximum(self.at.weights + slopes / self._curvatures, 0) - self.at.weights
            gains = moves * (slopes - self._curvatures * moves / 2)  # at least: the box only flattens the dual
            best = int(gains.argmax())
            if gains[best] <= SMALLEST_GAIN * self.at.value:
                return
            self._move(best, float(moves[best]), enough)
            if self.at.value >= enough:
                return
            self._newton()

    def certified(self, blur: Numbers) -> float:
        """Bound |d| from below within the box and the constraints, whatever was rounded on the way.

        `blur` (m,) bounds the rounding of each row of A as a vector; that of b is the caller's. With A^T w known to
        within r, the inner minimum moves by at most r (||d|| + r); what else is summed here has relative error
        n 2^-53, n the number of terms. All of it is counted twice over.
        """
        at, n = self.at, len(self.at.weights) + len(self._lower) + 8
        lengths = np.sqrt(self._curvatures)
        length, pull = np.linalg.norm(at.offset), np.linalg.norm(at.pull)
        unsure = at.weights @ (blur + n * UNIT * lengths)
        lost = unsure * (length + unsure) + n * UNIT * (length**2 + pull * length + at.weights @ np.abs(self.bounds))
        return float(np.sqrt(max(2 * (at.value - 2 * float(lost)), 0.0))) * (1 - n * UNIT)

    def _move(self, coordinate: int, step: float, enough: float) -> None:
        """One weight, and on while doubling the step pays: clipped features flatten the dual.

        Where the box leaves no solution the dual has no end.
        """
        start = self.at.weights
        while True:
            weights = start.copy()
            weights[coordinate] = max(weights[coordinate] + step, 0.0)
            if not self._take(weights) or step < 0 or self.at.value >= enough:
                return
            step *= 2

    def _newton(self) -> None:
        """Make the binding constraints tight, as far as their weights stay positive."""
        binding = np.flatnonzero(self.at.weights)
        free = (self.at.offset > self._lower) & (self.at.offset < self._upper)
        slopes = self.rows[binding] @ self.at.offset - self.bounds[binding]
        rows = self.rows[binding][:, free]
        step = np.linalg.lstsq(rows @ rows.T, slopes, rcond=1e-13)[0]
        weights = self.at.weights[binding]
        falling = step < 0
        share = min(1.0, float((weights[falling] / -step[falling]).min(initial=np.inf)))
        for _ in range(HALVINGS):
            moved = weights + share * step
            tried = self.at.weights.copy()
            tried[binding] = np.where(moved <= DROPPED * weights, 0, moved)
            if self._take(tried):
                return
            share /= 2

    def _take(self, weights: Numbers) -> bool:
        tried = self._point(weights)
        if is_better := tried.value > self.at.value:
            self.at = tried
        return is_better

    def _point(self, weights: Numbers) -> Point:
        binding = np.flatnonzero(weights)
        pull = weights[binding] @ self.rows[binding]
        offset = np.clip(-pull, self._lower, self._upper)
        value = 0.5 * (offset @ offset) + pull @ offset - weights[binding] @ self.bounds[binding]
        return Point(weights, offset, pull, float(value))
