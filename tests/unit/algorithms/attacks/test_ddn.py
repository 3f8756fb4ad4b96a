"""DDN against the closed form of linear models; where there are no gradients, and as the paper has it."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind, Outcome
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Disc, Linear, Staircase

DDN = method("ddn")


def linear(classes: int = 4) -> Linear:
    rng = np.random.default_rng(0)
    return Linear(rng.normal(size=(classes, 20)), 0.1 * rng.normal(size=classes))


def samples(d: int = 20) -> Samples:
    return Samples(np.random.default_rng(1).uniform(0.2, 0.8, (5, d)).astype(np.float32), tuple(range(5)), None)


def found(model: ClosedForm, threat: Threat, d: int = 20, **params: object) -> list[Outcome]:
    return run(model, samples(d), DDN, DDN.params(**params), threat, Budget(None), seed=0)


@pytest.mark.parametrize("classes", [2, 4])
def test_on_a_linear_model_the_distance_is_the_closed_form(classes):
    model = linear(classes)
    for outcome, x in zip(found(model, Threat(Norm.L2, Box.unbounded())), samples().x, strict=True):
        true = model.radius(x, outcome.finding.label, Norm.L2)
        assert true * (1 - 1e-6) <= outcome.finding.value <= 1.01 * true


def test_as_in_the_paper_it_comes_as_near_where_there_are_two_classes():
    model = linear(2)
    outcomes = found(model, Threat(), loss="cross_entropy", pace="paper", steps=600)
    for outcome, x in zip(outcomes, samples().x, strict=True):
        true = model.radius(x, outcome.finding.label, Norm.L2)
        assert true * (1 - 1e-6) <= outcome.finding.value <= 1.01 * true


def test_on_a_curved_boundary_it_ends_at_the_nearest_point():
    disc = Disc(np.full(3, 0.5), 0.45)
    for outcome, x in zip(found(disc, Threat(), 3), samples(3).x, strict=True):
        if outcome.finding.label == 0:
            true = 0.45 - np.linalg.norm(x - 0.5)
            assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


def test_without_gradients_it_goes_at_random_and_says_so():
    for outcome in found(Staircase(linear(), 1 / 64), Threat(), steps=30):
        assert outcome.finding.details["warnings"] == ["zero_gradients"]
        assert outcome.finding.details["zero_gradient_share"] == 1.0


def test_at_an_epsilon_it_finds_a_point_within_or_none():
    model = linear()
    true = [model.radius(x, int(model.labels(x[None])[0]), Norm.L2) for x in samples().x]
    for times, kind in ((0.9, Kind.ABSTAINED), (1.1, Kind.UPPER_BOUND)):
        kinds = []
        for i, radius in enumerate(true):
            alone = Samples(samples().x[[i]], (i,), None)
            threat = Threat(Norm.L2, Box.unbounded(), epsilon=times * radius)
            kinds += [run(model, alone, DDN, DDN.params(), threat, Budget(None), seed=0)[0].finding.kind]
        assert kinds == [kind] * 5
