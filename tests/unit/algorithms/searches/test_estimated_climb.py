"""Climbs by estimated slopes, where a model names a class only near the samples."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear

CLIMBS = [(name, norm) for name in ("nes", "bandits", "frank_wolfe_black_box") for norm in method(name).norms]
CLOSE_BY = {"bandits": {"probe": 0.01}}  # rows beside a point within the ends
SHAPE, END = (12,), 0.75
X = np.random.default_rng(1).uniform(0.4, 0.6, (4, *SHAPE)).astype(np.float32)


class Undefined(Linear):
    """A linear model that answers NaN, as a logarithm does, where a feature is not between the ends."""

    def __init__(self):
        rng = np.random.default_rng(2)
        super().__init__(rng.normal(size=(3, 12)), 0.05 * rng.normal(size=3), SHAPE)

    def _scores(self, rows):
        flat = rows.reshape(len(rows), -1)
        z = self.logits(flat.astype(np.float64)).astype(np.float32)
        z[((flat < 1 - END) | (flat > END)).any(axis=1)] = np.nan
        return z


@pytest.mark.parametrize(("name", "norm"), CLIMBS)
@pytest.mark.parametrize("epsilon", [None, 2.0])
def test_a_climb_comes_back_from_where_no_class_is_named(name, norm, epsilon):
    """The first ball and the one asked for are mostly beyond the ends, the nearest points within."""
    model, row = Undefined(), method(name)
    threat = Threat(norm, Box(-4, 5), epsilon=epsilon)
    outcomes = run(
        model,
        Samples(X, tuple(range(len(X))), None),
        row,
        row.params(**CLOSE_BY.get(name, {})),
        threat,
        Budget(4000),
        seed=3,
    )
    for finding in (outcome.finding for outcome in outcomes):
        nearest = model.radius(X[finding.index], finding.label, norm)
        assert finding.kind is Kind.UPPER_BOUND, finding
        assert "warnings" not in finding.details, "rows without an answer are no plateau"
        assert nearest * (1 - 1e-5) <= finding.value <= (epsilon or 3 * nearest)
