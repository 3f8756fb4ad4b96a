"""The right end point of a law, estimated from maxima of independent batches: the reverse-Weibull fit of CLEVER.

    G(y) = exp(-((a - y) / b)^c)  for y < a, and 1 above             (type III law; a: end point, b: scale, c: shape)

Maximum likelihood has no finite answer where c < 1 (it grows without limit as a -> max y) and drifts to an infinite a
in the Gumbel limit of large c, where n maxima cannot tell one c from another and chance moves the end point. So c is
kept within [1, 0.562 sqrt(n)]. The reason for the upper end: 1 / c = 0 is the law without an end point; n maxima of
it give 1 / c with a standard error of sqrt(0.4765 / n) (Prescott and Walden, Biometrika 67, 1980); so few do not tell a
shape whose reciprocal lies within 2.576 of these, 99 % of the normal law, from none. A restraint, this one or another,
moves scores by tens of per cent on real networks: it is a part of the version of `clever` that it belongs to.

All is seen from the largest maximum, in units of the maxima's range: u = (a - y) / range = delta + (max y - y) / range.
For each delta the best b and c are roots in one variable; delta is searched on a logarithmic scale. Deterministic, and
a few milliseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.statistics import ks_distance, ks_p_value

SMALLEST = 1.0  # shape: below it the likelihood has no maximum
ERROR = 0.4765**0.5  # standard error of 1 / c times sqrt(n), at 1 / c = 0
TOLD = 2.576  # standard errors that 1 / c must be away from 0
FIRST, LAST = np.log(1e-4), np.log(20.0)  # of ln delta: the end point is searched from max y + range / 10,000 on
OPEN = 1.5  # an interval that reaches this many times the largest maximum shows no end point
RESOLUTION = 1e-6  # gradients are float32: maxima closer than this share of the largest differ by rounding alone


@dataclass(frozen=True)
class ReverseWeibull:
    end_point: float  # a
    scale: float  # b
    shape: float  # c

    def cdf(self, y: Numbers) -> Numbers:
        u = np.maximum(self.end_point - y, 0.0) / self.scale
        return np.asarray(np.exp(-(u**self.shape)))


def is_degenerate(maxima: Numbers) -> bool:
    """Tell whether all maxima (n,) agree: their value is the end point then, and there is no law to fit."""
    return bool(np.ptp(maxima) <= RESOLUTION * maxima.max())


def farthest_end_point(maxima: Numbers) -> float:
    """Bound from above where a fit to maxima (n,) may end, before any is tried."""
    return float(maxima.max() + np.exp(LAST) * np.ptp(maxima))


def largest_shape(n: int) -> float:
    """Find the largest shape that n maxima tell from a law without an end point: 4 for 50 of them, 12.6 for 500."""
    return max(SMALLEST, float(np.sqrt(n)) / (ERROR * TOLD))


@dataclass(frozen=True)
class Restraint:
    """A restraint is what keeps the likelihood's maximum finite: each version of `clever` has its own."""

    largest_shape: Callable[[int], float]  # of so many maxima
    penalty: float = 0.0  # times (b / range)^2, added to the negative log-likelihood

    def can_end_beyond(self, maxima: Numbers, point: float) -> bool:
        """Tell whether the fit to maxima (n,) may end beyond a point: one look at the grid, a seventh of a fit."""
        _, high, _ = self._profile(maxima).bracket
        return bool(maxima.max() + np.exp(high) * np.ptp(maxima) > point)

    def fit(self, maxima: Numbers) -> ReverseWeibull:
        """Find the most likely law of maxima (n,), not degenerate. Its end point is never below their largest."""
        profile = self._profile(maxima)
        best = np.array([profile.best])
        log_b, c = profile.laws(best)
        top, spread = maxima.max(), np.ptp(maxima)
        return ReverseWeibull(float(top + np.exp(best[0]) * spread), float(np.exp(log_b[0]) * spread), float(c[0]))

    def interval(self, maxima: Numbers, *, level: float) -> tuple[float, float]:
        """Find the end points that the best does not beat by more than the chi-square quantile of their profile.

        It speaks of laws within the restraint. A bootstrap would cover an end point in .47 to .85 of cases at .95.
        """
        from scipy.special import chdtri

        low, high = self._profile(maxima).within(float(chdtri(1, 1 - level)) / 2)
        top, spread = float(maxima.max()), float(np.ptp(maxima))
        return top + low * spread, top + high * spread

    def _profile(self, maxima: Numbers) -> "Profile":
        return _profile(np.asarray(maxima, np.float64).tobytes(), self.penalty, self.largest_shape(len(maxima)))


@lru_cache(maxsize=64)
def _profile(maxima: bytes, penalty: float, largest_shape: float) -> "Profile":
    """What is found of some maxima is kept a while: fit, interval and test of one sample ask for the same again."""
    return Profile(np.frombuffer(maxima), penalty, largest_shape)


TOLD_SHAPES = Restraint(largest_shape)


def ks_p(maxima: Numbers, law: ReverseWeibull) -> float:
    """Test maxima (n,) against the law: Kolmogorov-Smirnov p-value, optimistic, for the law was fitted to them."""
    return ks_p_value(ks_distance(law.cdf(maxima)), len(maxima))


class Profile:
    """A profile is the penalized negative log-likelihood as a function of ln delta alone, b and c at their best.

    Works on many delta at once, (g,), because a call of numpy costs more than the arithmetic of one.
    """

    def __init__(self, maxima: Numbers, penalty: float, largest_shape: float) -> None:
        self._w = (maxima.max() - maxima) / np.ptp(maxima)  # (n,) in [0, 1]
        self._penalty = penalty
        self._shapes = (SMALLEST, largest_shape)
        self._within: dict[float, tuple[float, float]] = {}

    @cached_property
    def best(self) -> float:
        """Find ln delta of the global minimum, by Brent's method within the bracket."""
        from scipy.optimize import minimize_scalar

        low, high, (seen, cost) = self.bracket
        refined = minimize_scalar(self.cost, bounds=(low, high), method="bounded", options={"xatol": 1e-6})
        return float(refined.x if refined.fun < cost else seen)

    @cached_property
    def bracket(self) -> tuple[float, float, tuple[float, float]]:
        """Find ln delta of the two neighbors of a grid's best point; and that point, with its cost."""
        grid = np.linspace(FIRST, LAST, 33)
        costs = self.costs(grid)
        i = int(costs.argmin())
        return grid[max(i - 1, 0)], grid[min(i + 1, len(grid) - 1)], (grid[i], costs[i])

    def within(self, excess: float) -> tuple[float, float]:
        """Find the delta around the best one where the cost exceeds the least by no more than this.

        0 and the farthest delta searched stand where the cost never rises that far.
        """
        if excess not in self._within:
            self._within[excess] = self._ends(excess)
        return self._within[excess]

    def _ends(self, excess: float) -> tuple[float, float]:
        from scipy.optimize import brentq

        best = self.best
        limit = self.cost(best) + excess

        def over(log_delta: float) -> float:
            return self.cost(log_delta) - limit

        low = 0.0 if over(FIRST) <= 0 else np.exp(brentq(over, FIRST, best, xtol=1e-4))
        high = np.exp(LAST if over(LAST) <= 0 else brentq(over, best, LAST, xtol=1e-4))
        return float(low), float(high)

    def cost(self, log_delta: float) -> float:
        return float(self.costs(np.array([log_delta]))[0])

    def costs(self, log_deltas: Numbers) -> Numbers:
        """Compute the least cost at each ln delta, (g,) -> (g,)."""
        log_u = self._log_u(log_deltas)
        log_b, c = self.laws(log_deltas)
        z = log_u - log_b[:, None]
        likelihood = (np.exp(c[:, None] * z) - (c[:, None] - 1) * z).sum(axis=1) + log_u.shape[1] * (log_b - np.log(c))
        return np.asarray(likelihood + self._penalty * np.exp(2 * log_b))

    def laws(self, log_deltas: Numbers) -> tuple[Numbers, Numbers]:
        """Find (ln b, c) that fit best, (g,) each: Newton for the zero of the cost's slope in c, within a bracket."""
        log_u = self._log_u(log_deltas)
        low, high = (np.full(len(log_u), bound) for bound in self._shapes)
        high = np.where(self._slope(low, log_u)[0] >= 0, low, high)
        low = np.where(self._slope(high, log_u)[0] <= 0, high, low)
        c = np.clip(np.pi / np.sqrt(6) / log_u.std(axis=1), low, high)  # ln u has this deviation without a box on c
        for _ in range(60):
            slope, curvature = self._slope(c, log_u)
            low, high = np.where(slope < 0, c, low), np.where(slope < 0, high, c)
            step = c - slope / curvature
            step = np.where((low <= step) & (step <= high), step, (low + high) / 2)
            c, moved = step, np.abs(step - c)
            if np.all(moved <= 1e-9 * c):
                break
        return self._log_scales(c, log_u), c

    def _log_u(self, log_deltas: Numbers) -> Numbers:
        return np.asarray(np.log(np.exp(log_deltas)[:, None] + self._w))  # (g, n)

    def _slope(self, c: Numbers, log_u: Numbers) -> tuple[Numbers, Numbers]:
        """First and second derivative of the cost by c, (g,) each, b staying at its best."""
        n, log_b = log_u.shape[1], self._log_scales(c, log_u)
        z = log_u - log_b[:, None]  # (g, n): ln(u / b)
        power = np.exp(c[:, None] * z)
        slope = ((power - 1) * z).sum(axis=1) - n / c
        cross = n - power.sum(axis=1) - c * (power * z).sum(axis=1)
        in_log_b = c**2 * power.sum(axis=1) + 4 * self._penalty * np.exp(2 * log_b)
        return slope, (power * z**2).sum(axis=1) + n / c**2 - cross**2 / in_log_b

    def _log_scales(self, c: Numbers, log_u: Numbers) -> Numbers:
        """ln b at its best for each c: the root of ln mean(u^c) - c ln b - ln(1 + kappa b^2), (g,).

        Without penalty kappa is 0 and the root ln mean(u^c) / c, which is where Newton starts.
        """
        top = log_u.max(axis=1)
        log_mean = c * top + np.log(np.exp(c[:, None] * (log_u - top[:, None])).mean(axis=1))
        kappa = 2 * self._penalty / (log_u.shape[1] * c)
        log_b = log_mean / c
        for _ in range(5 if self._penalty else 0):
            drag = kappa * np.exp(2 * log_b)
            log_b = log_b + (log_mean - c * log_b - np.log1p(drag)) / (c + 2 * drag / (1 + drag))
        return np.asarray(log_b)
