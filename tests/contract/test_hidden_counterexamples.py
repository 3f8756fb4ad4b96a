"""No certificate covers a point that is answered otherwise, however well the point hides from attacks."""

import itertools
from typing import Any

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Finding, Kind
from algorithms.threats.threat import Threat
from tests.hidden import CLASSES, NETS, Hidden, hidden

METHODS: dict[str, dict[str, Any]] = {
    "intervals": {},
    "crown": {},
    "alpha_crown": {},
    "branch_and_bound": {"domains": 20},
    "milp": {"nodes": 4},
    "close": {"domains": 40, "attack_steps": 5},
}
FEW = 1  # samples of a network; the rest is `every`


def go(net: Hidden, name: str, threat: Threat, count: int, **params: Any) -> list[Finding]:
    samples = Samples(net.x[:count], tuple(range(count)), labels=None)
    chosen = method(name)
    outcomes = run(net.model, samples, chosen, chosen.params(**params), threat, Budget(2000), seed=0)
    return [outcome.finding for outcome in outcomes]


def distances(net: Hidden, norm: Norm, count: int) -> list[float]:
    return [Threat(norm).distance(point, x) for point, x in zip(net.points[:count], net.x, strict=False)]


def cases() -> list[Any]:
    """(network, norm, method, samples): of all of them a twelfth, each in its turn, and the rest as `every`."""
    found = []
    for (i, net), (j, norm), (k, name) in itertools.product(enumerate(NETS), enumerate(NORMS), enumerate(METHODS)):
        marks = () if (i + 4 * j + k) % 12 == 0 else pytest.mark.every
        found += [pytest.param(net, norm, name, FEW, marks=marks)]
        found += [pytest.param(net, norm, name, 10, marks=pytest.mark.every)]
    return found


@pytest.mark.parametrize("net", NETS)
def test_the_points_are_answered_otherwise_and_attacks_miss_them(net: str) -> None:
    made = hidden(net)
    labels = np.arange(len(made.x)) % CLASSES
    assert (made.model.labels(made.x) == labels).all() and (made.model.labels(made.points) != labels).all()
    threat = Threat(Norm.LINF, epsilon=max(distances(made, Norm.LINF, len(made.x))))
    found = go(made, "pgd", threat, 4, steps=20, restarts=1)
    assert sum(finding.kind is Kind.ABSTAINED for finding in found) >= 2


@pytest.mark.parametrize(("net", "norm", "name", "count"), cases())
def test_no_radius_is_certified_that_reaches_a_hidden_point(net: str, norm: Norm, name: str, count: int) -> None:
    made = hidden(net)
    away = distances(made, norm, count)
    for finding, limit in zip(go(made, name, Threat(norm), count, **METHODS[name]), away, strict=True):
        assert finding.kind is not Kind.LOWER_BOUND or finding.value < limit
        assert finding.details.get("lower", 0.0) < limit
    found = go(made, name, Threat(norm, epsilon=max(away)), count, **METHODS[name])
    assert all(finding.kind is not Kind.LOWER_BOUND for finding in found)
