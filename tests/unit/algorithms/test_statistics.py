"""Limits of rates and Kolmogorov-Smirnov values against scipy.stats, which the package itself may not import."""

import numpy as np
import pytest
from scipy import stats

from algorithms.statistics import clopper_pearson, ks_distance, ks_p_value, lower_limit, upper_limit

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
