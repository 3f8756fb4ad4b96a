"""Carlini & Wagner's attacks against closed forms, and against what their frame promises."""

from typing import ClassVar

import numpy as np
import pytest

from algorithms.attacks.carlini_wagner.linf import Solves
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Constant, Disc, Linear, Staircase

CW = method("carlini_wagner")
SCALED = [(1.0, 1.0, 4), (1e-3, 1.0, 4), (50.0, 1e3, 10), (1.0, 1.0, 2)]  # features, scores, classes


def linear(seed: int, *, features: float = 1.0, scores: float = 1.0, classes: int = 4, d: int = 20) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(scores * rng.normal(size=(classes, d)), scores * features * 0.1 * rng.normal(size=classes))


def samples(d: int = 20, n: int = 6, features: float = 1.0) -> Samples:
    x = features * np.random.default_rng(1).uniform(0.2, 0.8, (n, d))
    return Samples(x.astype(np.float32), tuple(range(n)), labels=None)


def attack(model, what, box=None, budget=Budget(None), threat=None, **params):
    threat = threat or Threat(Norm.L2, Box.unbounded() if box is None else box)
    return run(model, what, CW, CW.params(**params), threat, budget, seed=0)


@pytest.mark.parametrize("norm", CW.norms)
@pytest.mark.parametrize(("features", "scores", "classes"), SCALED)
def test_on_a_linear_model_of_any_scale_the_distance_is_within_one_per_cent_of_the_closed_form(
    norm, features, scores, classes
):
    model, what = linear(0, features=features, scores=scores, classes=classes), samples(n=3, features=features)
    for outcome, x in zip(attack(model, what, threat=Threat(norm, Box.unbounded())), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, norm)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


def test_as_published_it_comes_to_the_closed_form_in_a_box():
    model, what = linear(0, classes=2), samples(n=3)
    outcomes = attack(model, what, Box(np.float32(-1), np.float32(2)), preset="paper", steps=150, looks=0)
    for outcome, x in zip(outcomes, what.x, strict=True):
        true = model.radius(x, outcome.finding.label, Norm.L2)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


@pytest.mark.parametrize("variables", ["offset", "tanh"])
def test_the_nearest_point_of_a_curved_boundary_is_found(variables):
    model = Disc(np.array([0.5, 0.5, 0.5]), 0.3)
    what = Samples(np.float32([[0.6, 0.45, 0.5], [0.5, 0.7, 0.5]]), (0, 1), labels=None)
    for outcome, x in zip(attack(model, what, Threat().box, variables=variables), what.x, strict=True):
        true = 0.3 - np.linalg.norm(x - 0.5)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


@pytest.mark.parametrize("variables", ["offset", "tanh"])
def test_features_at_the_ends_of_their_sides_are_moved(variables):
    """Two of three features lie at an end of the box, and the boundary is nearest along them."""
    model = Linear(np.array([[0.0, 0.0, 0.0], [3.0, -2.0, 0.1]]), np.array([0.2, 0.0]))
    what = Samples(np.float32([[0.0, 1.0, 0.5]]), (0,), labels=None)
    (outcome,) = attack(model, what, Threat().box, variables=variables)
    true = model.radius(what.x[0], 0, Norm.L2)
    assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


def test_the_target_is_reached_by_the_nearest_point_of_its_region():
    """Two rivals, a target behind the other: the nearest point is where both boundaries meet."""
    model = Linear(np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 1.0]]), np.array([1.0, 0.0, 0.0]))
    what = Samples(np.float32([[0.0, 0.0]]), (0,), labels=None, targets=np.array([2]))
    (outcome,) = attack(model, what, threat=Threat(Norm.L2, Box.unbounded(), targeted="given"))
    assert outcome.finding.value == pytest.approx(np.hypot(0.25, 0.75), rel=0.01)  # x + y >= 1, y >= 3 x


def test_confidence_is_the_lead_that_the_other_class_has():
    model, what = linear(0), samples(n=3)
    for outcome, x in zip(attack(model, what, confidence=2.0), what.x, strict=True):
        scores = model.scores(outcome.x_adv[None])[0].astype(float)
        label = outcome.finding.label
        assert np.delete(scores, label).max() - scores[label] > 2.0 - 1e-4
        gaps = model.scores(x[None])[0][label] - model.scores(x[None])[0] + 2.0
        reach = np.delete(gaps, label) / np.linalg.norm(
            np.delete(model.weights - model.weights[label], label, 0), axis=1
        )
        assert outcome.finding.value <= 1.01 * reach.min()


def test_a_sample_with_no_gradient_is_left_at_once_and_says_so():
    what = samples(n=2)
    for model in (Staircase(linear(0), 0.2), Constant(np.array([1.0, 0.0, 0.0, 0.0]), (20,))):
        for outcome in attack(model, what, Threat().box):
            assert outcome.finding.kind is Kind.ABSTAINED and outcome.x_adv is None
            assert outcome.finding.details["zero_gradient_share"] == 1.0
            assert outcome.finding.details["warnings"] == ["zero_gradients"]
            assert outcome.finding.gradients <= 4


def test_within_an_epsilon_a_sample_is_done_as_soon_as_it_is_broken():
    model, what = linear(0), samples(n=2)
    wide = attack(model, what, threat=Threat(Norm.L2, Box.unbounded(), epsilon=10.0))
    whole = attack(model, what)
    for first, best in zip(wide, whole, strict=True):
        assert first.finding.value <= 10.0
        assert first.finding.gradients < best.finding.gradients / 4


def test_a_preset_is_its_numbers_and_any_of_them_can_be_given():
    paper = CW.params(preset="paper")
    assert paper.schedule(Norm.L2) == (10_000, 9, 1e-3, 0.01)
    assert (paper.units, paper.variables, paper.last_rate) == ("box", "tanh", 1.0)
    assert CW.params(preset="paper", steps=77).schedule(Norm.L2) == (77, 9, 1e-3, 0.01)
    assert CW.params() == CW.params(preset="quick")


class Watched(Solves):
    """Solves that remember each tau at which one ended, and whether it was solved."""

    seen: ClassVar[list[tuple[float, bool]]] = []

    def hear(self, owners, away, through):
        tau, reached, solved = self.tau.copy(), self.reached.copy(), self.solved.copy()
        super().hear(owners, away, through)
        if self.solved[0] > solved[0]:
            self.seen.append((float(tau[0]), bool(self.reached[0] < reached[0])))


def test_in_linf_as_published_tau_falls_until_a_solve_fails(monkeypatch):
    model, what = linear(0, classes=2), samples(n=1)
    monkeypatch.setattr("algorithms.attacks.carlini_wagner.linf.Solves", Watched)
    Watched.seen.clear()
    threat = Threat(Norm.LINF, Box(np.float32(-1), np.float32(2)))
    (outcome,) = attack(model, what, threat=threat, preset="paper", steps=100, constant=1.0)
    taus, wins = zip(*Watched.seen, strict=True)
    assert list(taus) == sorted(taus, reverse=True) and len(set(taus)) == len(taus)
    assert all(wins[:-1]) and not wins[-1]
    true = model.radius(what.x[0], outcome.finding.label, Norm.LINF)
    assert true * (1 - 1e-5) <= outcome.finding.value <= 1.12 * true  # a failure is 0.9 of the last success
