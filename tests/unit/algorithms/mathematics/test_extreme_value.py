"""The reverse-Weibull fit on laws whose end point is known, and against a second way to find the same optimum."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import genextreme, norm, weibull_max

from algorithms.mathematics.extreme_value import (
    TOLD_SHAPES,
    Restraint,
    farthest_end_point,
    is_degenerate,
    ks_p,
    largest_shape,
)
from algorithms.scores.clever import first

FIRST = first.ESTIMATOR.restraint  # of clever@1
fit = TOLD_SHAPES.fit


def maxima(shape, n, seed, end_point=10.0, scale=2.0):
    return end_point - scale * np.random.default_rng([seed, n]).exponential(size=n) ** (1 / shape)


def loss(theta, y, penalty):
    """The three-parameter objective as the paper's code has it, in units of the range."""
    log_delta, log_b, c = theta
    z = (y - y.max()) / np.ptp(y)
    b = np.exp(log_b)
    return -weibull_max.logpdf(z, c, loc=np.exp(log_delta), scale=b).sum() + penalty * b**2


def gev_score(levels: np.ndarray, xi: float, step: float = 1e-4) -> np.ndarray:
    """Derivatives of the log-density by (xi, location, scale) at quantiles of the law itself, (3, n)."""
    y = genextreme.ppf(levels, xi)

    def slope(over: tuple[float, float, float]) -> np.ndarray:
        ahead, behind = ((xi, 0.0, 1.0) + sign * np.array(over) for sign in (step, -step))
        return (genextreme.logpdf(y, *ahead) - genextreme.logpdf(y, *behind)) / (2 * step)

    return np.array([slope(over) for over in ((1, 0, 0), (0, 1, 0), (0, 0, 1))])


def test_the_largest_shape_is_what_so_many_maxima_tell_from_a_law_without_an_end_point():
    """1 / largest is 2.576 standard errors of 1 / c, by the information that one maximum of a Gumbel law holds."""
    scores = gev_score((np.arange(100_000) + 0.5) / 100_000, xi=1e-3)
    error = np.sqrt(np.linalg.inv(scores @ scores.T / scores.shape[1])[0, 0])
    assert norm.cdf(2.576) == pytest.approx(0.995, abs=1e-5)
    for n in (50, 100, 500, 2000):
        assert 1 / largest_shape(n) == pytest.approx(2.576 * error / np.sqrt(n), rel=0.01)
    assert largest_shape(1) == 1


@pytest.mark.parametrize("shape", range(2, 9))
def test_an_ideal_sample_gives_its_end_point_back(shape):
    quantiles = (np.arange(500) + 0.5) / 500
    y = 10 - 2 * (-np.log(quantiles)) ** (1 / shape)
    law = fit(y)
    assert abs(law.end_point - 10) < 0.15
    assert law.shape == pytest.approx(shape, rel=0.05)
    assert ks_p(y, law) > 0.99


@pytest.mark.parametrize("shape", [2, 3, 5])
def test_random_samples_give_the_end_point_in_the_median(shape):
    """Single samples of 500 scatter by .05 (c = 2) to .3 (c = 5); the median of 25 by about a quarter of that."""
    assert abs(np.median([fit(maxima(shape, 500, seed)).end_point for seed in range(25)]) - 10) < 0.15


@pytest.mark.parametrize(("shape", "n"), [(1.2, 50), (2, 200), (4, 50), (8, 200), (15, 50)])
@pytest.mark.parametrize("restraint", [TOLD_SHAPES, FIRST, Restraint(lambda n: 50.0)], ids=["2", "1", "no penalty"])
def test_a_search_over_all_three_parameters_finds_the_same_law(shape, n, restraint):
    y, penalty = maxima(shape, n, seed=1), restraint.penalty
    law, spread = restraint.fit(y), np.ptp(y)
    ours = loss([np.log((law.end_point - y.max()) / spread), np.log(law.scale / spread), law.shape], y, penalty)
    bounds = [(np.log(1e-4), np.log(20)), (-5, 4), (1, restraint.largest_shape(n))]
    shapes = (c for c in (1.2, 2, 3.5, 15) if c <= bounds[2][1])
    starts = [(np.log(delta), np.log(delta + 0.5), c) for c in shapes for delta in (0.003, 0.3, 5)]
    options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000}
    runs = [minimize(loss, s, (y, penalty), "Nelder-Mead", bounds=bounds, options=options) for s in starts]
    best = min(runs, key=lambda r: r.fun)
    assert ours <= best.fun + 1e-6
    assert law.end_point == pytest.approx(y.max() + np.exp(best.x[0]) * spread, rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_a_law_without_an_end_point_has_the_largest_shape_that_can_be_told(seed):
    gumbel = np.random.default_rng(seed).gumbel(size=500) + 10
    assert fit(gumbel).shape == pytest.approx(largest_shape(500))
    assert first.by_shape(gumbel)[1]


def test_end_points_of_a_law_without_one_scatter_less_than_where_chance_chooses_the_shape():
    """The reason for the rule: 60 samples of 50 maxima."""
    draws = [10 + np.random.default_rng(seed).gumbel(size=50) for seed in range(60)]
    ours, theirs = ([r.fit(y).end_point for y in draws] for r in (TOLD_SHAPES, FIRST))
    assert np.std(ours) / np.mean(ours) < 0.1 < 0.25 < np.std(theirs) / np.mean(theirs)


@pytest.mark.parametrize(("level", "at_least", "at_most"), [(0.95, 0.83, 1.0), (0.5, 0.28, 0.72)])
def test_the_interval_covers_the_end_point_about_as_often_as_it_says(level, at_least, at_most):
    """60 samples; a cover of exactly the level would leave these limits once in 1000 times."""
    covered = 0
    for number in range(60):
        low, high = TOLD_SHAPES.interval(maxima(shape=(2, 3, 3.5)[number % 3], n=50, seed=number), level=level)
        covered += low <= 10 <= high
    assert at_least <= covered / 60 <= at_most


@pytest.mark.parametrize("n", [2, 3, 10, 50])
@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.random(n),
        lambda rng, n: rng.integers(1, 4, n).astype(float),
        lambda rng, n: np.exp(6 * rng.normal(size=n)),
        lambda rng, n: 1e-20 * rng.random(n),
        lambda rng, n: 1e20 * (1 + 1e-4 * rng.random(n)),
        lambda rng, n: np.maximum(rng.normal(size=n), 0),
    ],
    ids=["uniform", "ties", "lognormal", "tiny", "narrow", "zeros"],
)
def test_whatever_comes_the_end_point_is_finite_and_not_below_the_largest_maximum(draw, n):
    for seed in range(5):
        y = draw(np.random.default_rng([seed, n]), n)
        if is_degenerate(y):
            continue
        law, (low, high) = fit(y), TOLD_SHAPES.interval(y, level=0.95)
        assert y.max() <= law.end_point <= farthest_end_point(y)
        assert y.max() <= low <= law.end_point * (1 + 1e-9)
        assert law.end_point <= high * (1 + 1e-9) < np.inf


def test_the_unit_of_the_maxima_does_not_matter():
    y = maxima(3, 80, seed=4)
    law, scaled = fit(y), fit(1000 * y)
    assert scaled.end_point == pytest.approx(1000 * law.end_point, rel=1e-7)
    assert scaled.shape == pytest.approx(law.shape, rel=1e-5)


def test_the_same_maxima_give_the_same_bits_in_any_order():
    y = maxima(3, 80, seed=5)
    assert fit(y) == fit(y.copy())
    assert fit(y).end_point == pytest.approx(fit(y[::-1]).end_point, rel=1e-7)


def test_equal_maxima_are_degenerate_and_differences_of_rounding_are_too():
    assert is_degenerate(np.full(50, 3.7))
    assert is_degenerate(np.zeros(50))
    assert is_degenerate(3.7 * (1 + 1e-7 * np.random.default_rng(0).random(50)))
    assert not is_degenerate(3.7 * (1 + 1e-4 * np.random.default_rng(0).random(50)))
