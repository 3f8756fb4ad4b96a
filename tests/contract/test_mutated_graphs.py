"""A network with one number changed is another network: bounds follow it, and stay on their side of its truth."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Finding, Kind
from algorithms.threats.threat import Threat
from tests.cells import Layer, least_distance
from tests.perceptrons import layers, perceptron

X = np.array([0.45, 0.55], np.float32)
EPSILON = 0.2
METHODS = {"crown": {}, "alpha_crown": {}, "branch_and_bound": {"domains": 200}, "milp": {}}
SAID = {"crown": "margin", "alpha_crown": "margin", "branch_and_bound": "bound"}  # with an epsilon


def find(net: list[Layer], name: str, threat: Threat) -> Finding:
    chosen, samples = method(name), Samples(X[None], (0,), labels=None)
    (outcome,) = run(perceptron(net), samples, chosen, chosen.params(**METHODS[name]), threat, Budget(2000), seed=0)
    return outcome.finding


def said(net: list[Layer], name: str, threat: Threat) -> float:
    """The least margin that holds all over the ball; or where a point refutes that at once, its distance."""
    finding = find(net, name, threat)
    return finding.value if finding.kind is Kind.UPPER_BOUND else finding.details[SAID[name]]


def small(seed: int) -> list[Layer]:
    """Weights whose neurons are on, for the most part, around the sample."""
    made = layers(seed, 2, 4, 4, 2)
    return [(w, b + 1.0) for w, b in made[:-1]] + [made[-1]]


def mutants(net: list[Layer]) -> Iterator[tuple[list[Layer], int, int, int]]:
    """Every network with one weight of the other sign or one bias moved: with its layer, the neuron, and its source."""
    for i, (w, b) in enumerate(net):
        for at in np.ndindex(w.shape):
            other = w.copy()
            other[at] *= -1
            yield [*net[:i], (other, b), *net[i + 1 :]], i, int(at[0]), int(at[1])
        for unit in range(len(b)):
            moved = b.copy()
            moved[unit] += 0.25
            yield [*net[:i], (w, moved), *net[i + 1 :]], i, unit, -1


def signs(net: list[Layer], norm: Norm) -> list[NDArray[np.float64]]:
    """How often each neuron is on, in the ball: 1 always, 0 never."""
    offsets = np.random.default_rng(0).uniform(-EPSILON, EPSILON, (2000, 2))
    h = X + offsets[np.linalg.norm(offsets, norm.p, axis=1) <= EPSILON]
    found = []
    for w, b in net[:-1]:
        h = np.maximum(h @ w.T + b, 0)
        found.append((h > 0).mean(0))
    return found


@pytest.mark.parametrize(("seed", "norm", "name"), [(i, norm, name) for i, norm in enumerate(NORMS) for name in SAID])
def test_a_bound_depends_on_every_edge_but_those_of_neurons_that_are_off(seed: int, norm: Norm, name: str) -> None:
    net, threat = small(seed), Threat(norm, epsilon=EPSILON)
    before, on = said(net, name, threat), signs(net, norm)
    followed = 0
    for mutant, layer, unit, source in list(mutants(net))[seed::5]:
        reads = 1.0 if layer == 0 or source < 0 else on[layer - 1][source]
        feeds = 1.0 if layer == len(net) - 1 else on[layer][unit]
        after = said(mutant, name, threat)
        if reads == feeds == 1:
            assert after != before
            followed += 1
        if reads == 0:
            assert after == pytest.approx(before, rel=1e-3, abs=1e-4)
    assert followed >= 3


IN_TURN = [
    pytest.param(i, norm, name, marks=() if i == k % len(NORMS) else pytest.mark.every)
    for i, norm in enumerate(NORMS)
    for k, name in enumerate(METHODS)
]


@pytest.mark.parametrize(("seed", "norm", "name"), IN_TURN)
def test_no_mutant_is_certified_beyond_its_own_truth(seed: int, norm: Norm, name: str) -> None:
    threat, label_of = Threat(norm), lambda net: int(perceptron(net).labels(X[None])[0])
    for mutant, *_ in list(mutants(small(seed)))[seed::8]:
        truth = least_distance(mutant, X.astype(np.float64), label_of(mutant), norm)
        finding = find(mutant, name, threat)
        assert finding.kind is Kind.LOWER_BOUND and finding.value is not None
        assert finding.value <= min(truth, threat.farthest(X[None])[0]) * (1 + 1e-9)
        if name == "milp" and np.isfinite(truth):
            assert finding.value == pytest.approx(truth, rel=1e-3, abs=1e-4)
