"""PDPGD: its operators against brute force, and its answers against closed forms on linear models and a disc."""

import numpy as np
import pytest

from algorithms.attacks.pdpgd.operators import shrink
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind, Outcome
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Disc, Linear, Staircase

PDPGD = method("pdpgd")


def linear() -> Linear:
    rng = np.random.default_rng(0)
    return Linear(rng.normal(size=(4, 20)), 0.1 * rng.normal(size=4))


def samples(d: int = 20) -> Samples:
    return Samples(np.random.default_rng(1).uniform(0.2, 0.8, (5, d)).astype(np.float32), tuple(range(5)), None)


def found(model: ClosedForm, threat: Threat, d: int = 20, **params: object) -> list[Outcome]:
    return run(model, samples(d), PDPGD, PDPGD.params(**params), threat, Budget(None), seed=0)


def cost(z, v, t, norm):
    d = (np.abs(z) ** (2 / 3)).sum(axis=-1) if norm is Counting.L0 else np.linalg.norm(z, norm.p, axis=-1)
    return t * d + ((z - v) ** 2).sum(axis=-1) / 2


@pytest.mark.parametrize("norm", [*NORMS, Counting.L0])
@pytest.mark.parametrize("t", [0.05, 0.4, 2.0])
def test_no_change_costs_less_than_the_operators(norm, t):
    rng = np.random.default_rng(2)
    v = rng.normal(size=(6, 3))
    for row, z in zip(v, shrink(v, np.full(6, t), norm), strict=True):
        axis = np.linspace(-2.5, 2.5, 41)
        grid = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
        near = z + 1e-3 * rng.normal(size=(500, 3))
        assert cost(z, row, t, norm) <= min(cost(grid, row, t, norm).min(), cost(near, row, t, norm).min()) + 1e-12


def test_the_operator_of_a_count_keeps_a_change_or_sets_it_to_0_where_that_is_better():
    """Both minima cost the same at |v| = (2/3) 24^(1/4) t^(3/4)."""
    t = 0.7
    edge = 2 / 3 * 24**0.25 * t**0.75
    (below, above), *_ = shrink(np.array([[0.999 * edge, 1.001 * edge]]), np.array([t]), Counting.L0)
    assert below == 0 and above > 0.3 * edge


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("box", [Box.unbounded(), Threat().box], ids=["unbounded", "box"])
def test_on_a_linear_model_the_distance_is_the_closed_form(norm, box):
    model = linear()
    for outcome, x in zip(found(model, Threat(norm, box), steps=100), samples().x, strict=True):
        true = model.radius(x, outcome.finding.label, norm)
        assert true * (1 - 1e-6) <= outcome.finding.value
        if not box.is_bounded:
            assert outcome.finding.value <= 1.01 * true


@pytest.mark.parametrize(("norm", "within"), [(Norm.L1, 1.05), (Norm.L2, 1.05), (Norm.LINF, 1.02)])
def test_the_game_as_in_the_paper_comes_near_by_itself(norm, within):
    model = linear()
    ratios = [
        outcome.finding.value / model.radius(x, outcome.finding.label, norm)
        for outcome, x in zip(found(model, Threat(norm), pace="paper", steps=600), samples().x, strict=True)
    ]
    assert min(ratios) >= 1 - 1e-6 and np.median(ratios) <= within


def test_on_a_curved_boundary_it_comes_nearer_than_the_boundary_seen_from_the_sample():
    disc = Disc(np.full(3, 0.5), 0.45)
    for outcome, x in zip(found(disc, Threat(), 3, steps=600), samples(3).x, strict=True):
        if outcome.finding.label == 0:
            true = 0.45 - np.linalg.norm(x - 0.5)
            assert true * (1 - 1e-5) <= outcome.finding.value <= 1.06 * true


def test_in_l0_it_finds_the_exact_count_of_a_linear_model():
    model, threat = linear(), Threat[Counting](Counting.L0)
    for outcome, x in zip(found(model, threat, steps=20), samples().x, strict=True):
        f = model.logits(x[None].astype(float))[0]
        label, counts = outcome.finding.label, []
        for rival in (j for j in range(4) if j != label):
            w = model.weights[rival] - model.weights[label]
            grown = np.cumsum(np.sort(np.abs(w) * np.where(w > 0, 1 - x, x))[::-1])
            counts += np.flatnonzero(grown > f[label] - f[rival])[:1].tolist()
        assert outcome.finding.value == 1 + min(counts)


@pytest.mark.parametrize("norm", [*NORMS, Counting.L0])
def test_where_gradients_vanish_it_finds_nothing_and_says_why(norm):
    for outcome in found(Staircase(linear(), 1 / 64), Threat(norm), steps=10):
        assert outcome.finding.kind is Kind.ABSTAINED
        assert outcome.finding.details["warnings"] == ["zero_gradients"]
