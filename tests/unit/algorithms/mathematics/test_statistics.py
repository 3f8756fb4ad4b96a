"""Limits of rates and Kolmogorov-Smirnov values against scipy.stats, which the package itself may not import."""

import numpy as np
import pytest
from scipy import stats

from algorithms.mathematics.statistics import (
    clopper_pearson,
    ks_distance,
    ks_p_value,
    lower_limit,
    median_interval,
    sign_test,
    upper_limit,
)

COUNTS = [(0, 10), (1, 10), (5, 10), (10, 10), (97, 200), (9_999, 10_000), (1, 1)]


@pytest.mark.parametrize(("successes", "trials"), COUNTS)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.999])
def test_limits_are_those_of_the_exact_binomial_test(successes, trials, level):
    expected = stats.binomtest(successes, trials).proportion_ci(level, method="exact")
    assert clopper_pearson(successes, trials, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("successes", "trials"), COUNTS)
def test_one_sided_limits_leave_the_whole_error_on_one_side(successes, trials):
    low, high = lower_limit(successes, trials, 0.95), upper_limit(successes, trials, 0.95)
    if successes > 0:
        assert stats.binom.sf(successes - 1, trials, low) == pytest.approx(0.05)
    if successes < trials:
        assert stats.binom.cdf(successes, trials, high) == pytest.approx(0.05)


def test_the_ends_are_exact_where_nothing_or_everything_succeeded():
    assert clopper_pearson(0, 20)[0] == 0.0
    assert clopper_pearson(20, 20)[1] == 1.0
    assert clopper_pearson(0, 0) == (0.0, 1.0)


def test_a_tiny_error_is_not_rounded_away():
    assert lower_limit(100_000, 100_000, 1 - 1e-3) == pytest.approx(1e-3 ** (1 / 100_000), rel=1e-12)


@pytest.mark.parametrize("n", [10, 50, 500])
@pytest.mark.parametrize("power", [1.0, 1.1, 1.4])
def test_the_kolmogorov_smirnov_test_is_scipys(n, power):
    levels = np.random.default_rng(n).random(n) ** power
    expected = stats.kstest(levels, "uniform")
    gap = ks_distance(levels)
    assert gap == pytest.approx(expected.statistic, abs=1e-12)
    assert ks_p_value(gap, n) == pytest.approx(expected.pvalue, abs=0.003)


@pytest.mark.parametrize(
    ("n", "level", "k"),
    [(5, 0.95, 0), (6, 0.95, 1), (10, 0.95, 2), (20, 0.95, 6), (100, 0.95, 40), (10, 0.99, 1)],
)
def test_the_interval_of_a_median_is_that_of_the_tables(n, level, k):
    """David & Nagaraja, Order Statistics, section 7.1; k as in every table of the sign test."""
    low, high = median_interval(np.arange(1.0, n + 1), level)
    assert (low, high) == ((k, n + 1 - k) if k else (-np.inf, np.inf))


def test_the_interval_of_a_median_covers_it_as_often_as_it_says():
    """The exact coverage at n = 15 is 0.9648; the chance of fewer than 930 in 1000 is below 1e-6."""
    rng = np.random.default_rng(11)
    inside = sum(low <= 0 <= high for low, high in (median_interval(rng.normal(size=15)) for _ in range(1000)))
    assert inside >= 930


@pytest.mark.parametrize(("larger", "smaller", "p"), [(0, 0, 1.0), (5, 5, 1.0), (10, 0, 2 / 1024), (8, 2, 112 / 1024)])
def test_the_sign_test_is_exact(larger, smaller, p):
    assert sign_test(larger, smaller) == sign_test(smaller, larger) == pytest.approx(p)
