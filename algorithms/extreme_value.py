"""The right end point of a law, estimated from maxima of independent batches: the reverse-Weibull fit of CLEVER.

    G(y) = exp(-((a - y) / b)^c)  for y < a, and 1 above             (type III law; a: end point, b: scale, c: shape)

Maximum likelihood has no finite answer where c < 1 (it grows without limit as a -> max y) and drifts to an infinite a in
the Gumbel limit of large c. So c is kept within [1, 50] and the likelihood carries the penalty PENALTY * (b / range)^2,
which is what Weng et al.'s code has in effect (its comment speaks of the shape). The choice moves scores by tens of per
cent on real networks: it is a part of `clever@1` and never changes under that name.

All is seen from the largest maximum, in units of the maxima's range: u = (a - y) / range = delta + (max y - y) / range.
For each delta the best b and c are roots in one variable; delta is searched on a logarithmic scale. Deterministic.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from algorithms.statistics import ks_distance, ks_p_value

PENALTY = 0.01
SHAPES = (1.0, 50.0)
DELTAS = (1e-4, 20.0)
NO_END_POINT = 10.0  # unpenalized shapes above this show no evidence of a finite end point
RESOLUTION = 1e-6  # gradients are float32: maxima closer than this share of the largest differ by rounding alone

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ReverseWeibull:
    end_point: float  # a
    scale: float  # b
    shape: float  # c

    def cdf(self, y: Array) -> Array:
        u = np.maximum(self.end_point - y, 0.0) / self.scale
        return np.asarray(np.exp(-(u**self.shape)))


def is_degenerate(maxima: Array) -> bool:
    """All maxima (n,) agree: their value is the end point, and there is no law to fit."""
    return bool(np.ptp(maxima) <= RESOLUTION * maxima.max())


def farthest_end_point(maxima: Array) -> float:
    """No fit to these maxima (n,) goes beyond this."""
    return float(maxima.max() + DELTAS[1] * np.ptp(maxima))


def fit(maxima: Array, *, penalty: float = PENALTY) -> ReverseWeibull:
    """The most likely law of maxima (n,) that are not degenerate. Its end point is never below their largest."""
    profile = Profile(maxima, penalty)
    delta = profile.best_delta()
    b, c = profile.best_law(delta)
    spread = float(np.ptp(maxima))
    return ReverseWeibull(float(maxima.max()) + delta * spread, b * spread, c)


def end_point_interval(maxima: Array, *, level: float) -> tuple[float, float]:
    """End points that the best one does not beat by more than the chi-square quantile of their profile likelihood.

    The cover is a little under nominal (.83 to .93 at .95 measured), since the law's support moves with its end point.
    """
    from scipy.special import chdtri

    profile = Profile(maxima, PENALTY)
    low, high = profile.deltas_within(float(chdtri(1, 1 - level)) / 2)
    top, spread = float(maxima.max()), float(np.ptp(maxima))
    return top + low * spread, top + high * spread


def ks_p(maxima: Array, law: ReverseWeibull) -> float:
    """Kolmogorov-Smirnov p-value of maxima (n,) against the law. Optimistic: the law was fitted to the same maxima."""
    return ks_p_value(ks_distance(law.cdf(maxima)), len(maxima))


class Profile:
    """The penalized negative log-likelihood as a function of delta alone, b and c at their best."""

    def __init__(self, maxima: Array, penalty: float) -> None:
        self._w = (maxima.max() - maxima) / np.ptp(maxima)  # (n,) in [0, 1]
        self._penalty = penalty
        self.cost = cache(self._cost)

    def best_delta(self) -> float:
        """The global minimum: the best of a grid, then Brent between its neighbors."""
        from scipy.optimize import minimize_scalar

        grid = np.linspace(*np.log(DELTAS), 33)
        i = int(np.argmin([self.cost(float(t)) for t in grid]))
        bounds = (grid[max(i - 1, 0)], grid[min(i + 1, len(grid) - 1)])
        refined = minimize_scalar(self.cost, bounds=bounds, method="bounded", options={"xatol": 1e-7})
        return float(np.exp(min(grid[i], refined.x, key=self.cost)))

    def best_law(self, delta: float) -> tuple[float, float]:
        """(b, c) that fit best with the end point at delta."""
        from scipy.optimize import brentq

        log_u = np.log(delta + self._w)
        if self._slope(SHAPES[0], log_u) >= 0:
            c = SHAPES[0]
        elif self._slope(SHAPES[1], log_u) <= 0:
            c = SHAPES[1]
        else:
            c = float(brentq(self._slope, *SHAPES, args=(log_u,), xtol=1e-9))
        return float(np.exp(self._log_scale(c, log_u))), c

    def deltas_within(self, excess: float) -> tuple[float, float]:
        """The ends of the range around the best delta whose cost exceeds the best by no more than this.

        The low end is 0 and the high end the farthest searched where the cost never rises that far.
        """
        from scipy.optimize import brentq

        best = float(np.log(self.best_delta()))
        limit = self.cost(best) + excess
        first, last = (float(t) for t in np.log(DELTAS))

        def over(t: float) -> float:
            return self.cost(t) - limit

        low = 0.0 if over(first) <= 0 else float(np.exp(brentq(over, first, best, xtol=1e-7)))
        high = DELTAS[1] if over(last) <= 0 else float(np.exp(brentq(over, best, last, xtol=1e-7)))
        return low, high

    def _cost(self, log_delta: float) -> float:
        delta = float(np.exp(log_delta))
        b, c = self.best_law(delta)
        u = (delta + self._w) / b
        return float(-len(u) * np.log(c / b) - (c - 1) * np.log(u).sum() + (u**c).sum() + self._penalty * b**2)

    def _slope(self, c: float, log_u: Array) -> float:
        """Derivative of the cost by c, b at its best for this c."""
        z = log_u - self._log_scale(c, log_u)  # (n,) ln(u / b)
        return float(((np.exp(c * z) - 1) * z).sum() - len(z) / c)

    def _log_scale(self, c: float, log_u: Array) -> float:
        """ln b at its best for this c: the root of ln mean(u^c) - c ln b - ln(1 + kappa b^2), by Newton from below.

        Without penalty kappa is 0 and the root is ln mean(u^c) / c.
        """
        top = log_u.max()
        log_mean = c * top + np.log(np.exp(c * (log_u - top)).mean())
        log_b = log_mean / c
        kappa = 2 * self._penalty / (len(log_u) * c)
        for _ in range(8 if kappa else 0):  # converges quadratically from a start that is off by less than kappa b^2
            drag = kappa * np.exp(2 * log_b)
            log_b += (log_mean - c * log_b - np.log1p(drag)) / (c + 2 * drag / (1 + drag))
        return float(log_b)
