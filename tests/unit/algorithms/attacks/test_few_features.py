"""Attacks by labels on few features, where papers halve a way back by a third of it, or not at all."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.threats.threat import Threat
from tests.truths import Linear


@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("name", ["cgba", "cgba_h", "decision", "geoda", "qeba", "tangent"])
def test_a_walk_comes_back_to_within_1_percent_of_the_boundary_of_few_features(name, d):
    rng = np.random.default_rng(d)
    weights = rng.uniform(1, 2, (1, d)) * np.array([[-1], [1]])
    model = Linear(weights, -0.5 * weights.sum(axis=1))
    x = rng.uniform(0.1, 0.45, (5, d)).astype(np.float32)
    attack = method(name)
    found = run(
        model, Samples(x, tuple(range(5)), None), attack, attack.params(), Threat(Norm.L2), Budget(1000), seed=0
    )
    for outcome, row in zip(found, x, strict=True):
        truth = model.radius(row, outcome.finding.label, Norm.L2)
        assert truth * (1 - 1e-6) <= outcome.finding.value <= truth * 1.012
