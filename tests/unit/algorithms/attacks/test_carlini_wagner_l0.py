"""Carlini & Wagner's attack in l0 against exact counts, and against what the paper says of its rounds."""

from typing import ClassVar

import numpy as np
import pytest

from algorithms.attacks.carlini_wagner.l0 import FreeSolves
from algorithms.driver.running import Samples, run
from algorithms.mathematics.counting import weights
from algorithms.mathematics.norms import Counting
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind, Outcome
from algorithms.threats.threat import Box, Threat
from tests.counted import PIXELS, exact, linear, samples
from tests.truths import ClosedForm, Disc, Staircase

CW = method("carlini_wagner")
pixelwise = pytest.mark.parametrize("pixels", [None, PIXELS], ids=["features", "pixels"])


def found(model: ClosedForm, what=None, *, pixels=None, box=None, epsilon=None, **params: object) -> list[Outcome]:
    threat = Threat[Counting](
        Counting.L0, Box(np.float32(0), np.float32(1)) if box is None else box, epsilon=epsilon, pixels=pixels
    )
    return run(model, samples() if what is None else what, CW, CW.params(**params), threat, Budget(None), seed=0)


@pixelwise
def test_on_a_linear_model_it_finds_the_exact_count(pixels):
    counts = [outcome.finding.value for outcome in found(linear(), pixels=pixels, steps=20, search_steps=3)]
    assert counts == exact(linear(), pixels) and max(counts) > 2


@pixelwise
def test_so_it_does_by_its_own_rounds_without_the_crossing(pixels):
    outcomes = found(linear(), pixels=pixels, confidence=1e-9)  # a point of the crossing has no lead
    assert [outcome.finding.value for outcome in outcomes] == exact(linear(), pixels)


@pixelwise
@pytest.mark.parametrize("variables", ["offset", "tanh"])
def test_as_published_it_comes_to_the_exact_count(pixels, variables):
    outcomes = found(linear(), one(), pixels=pixels, preset="paper", variables=variables, steps=20, constant=1.0)
    assert [outcome.finding.value for outcome in outcomes] == exact(linear(), pixels)[:1]


def one() -> Samples:
    return Samples(samples().x[:1], (0,), labels=None)


class Watched(FreeSolves):
    """Solves that remember how many features the first sample's successes changed, and were free before."""

    seen: ClassVar[list[tuple[float, float]]] = []

    def win(self, owners, points, changed):
        if 0 in owners:
            self.seen.append((float(changed[0]), float(self.is_free[0].sum())))
        super().win(owners, points, changed)


def test_as_published_what_is_changed_shrinks_with_every_success(monkeypatch):
    monkeypatch.setattr("algorithms.attacks.carlini_wagner.l0.FreeSolves", Watched)
    Watched.seen.clear()
    found(linear(), one(), preset="paper", steps=20, constant=1.0)
    changed, free = map(np.array, zip(*Watched.seen, strict=True))
    assert (np.diff(changed) < 0).all() and (np.diff(free) < 0).all() and (changed <= free).all()
    fewer = changed[:-1] - free[1:]
    assert ((fewer >= 1) & (fewer <= np.ceil(0.3 * np.sqrt(changed[:-1])))).all()


def test_changes_that_cancel_over_channels_weigh_no_less():
    changes, slopes = np.zeros((1, 75)), np.ones((1, 75))
    changes[0, [0, 25]] = 0.5, -0.5  # two channels of pixel 0
    changes[0, 1] = 0.6
    weighed = weights(changes, slopes, PIXELS)[0]
    assert weighed[0] == pytest.approx(3.0) and weighed[1] == pytest.approx(1.8) and not weighed[2:].any()


def test_a_change_that_no_slope_weighs_is_still_a_change():
    changes, slopes = np.zeros((1, 75)), np.zeros((1, 75))
    changes[0, 3] = 0.1
    assert np.flatnonzero(weights(changes, slopes, None)[0]).tolist() == [3]


def test_confidence_is_the_lead_that_the_other_class_has():
    for outcome in found(linear(), confidence=2.0):
        scores = linear().scores(outcome.x_adv[None])[0].astype(float)
        label = outcome.finding.label
        assert np.delete(scores, label).max() - scores[label] > 2.0 - 1e-4


def test_without_a_box_one_change_is_enough():
    outcomes = found(linear(), box=Box.unbounded(), confidence=1e-9)
    assert [outcome.finding.value for outcome in outcomes] == [1.0] * 4


def test_features_that_hardly_move_are_not_counted():
    model = Disc(np.array([0.5, 0.5, 0.5]), 0.3)
    what = Samples(np.float32([[0.5, 0.5, 0.75]]), (0,), labels=None)
    for told in ({}, {"preset": "paper", "steps": 100, "constant": 1.0}):
        (outcome,) = found(model, what, **told)
        assert outcome.finding.value == 1.0


def test_a_sample_with_no_gradient_is_left_at_once_and_says_so():
    for outcome in found(Staircase(linear(), 0.2)):
        assert outcome.finding.kind is Kind.ABSTAINED and outcome.x_adv is None
        assert outcome.finding.details["warnings"] == ["zero_gradients"]


def test_within_an_epsilon_a_sample_is_done_as_soon_as_so_few_are_changed():
    most = float(max(exact(linear(), None)))
    for outcome in found(linear(), epsilon=most, steps=20):
        assert outcome.finding.value <= most and outcome.finding.gradients <= 8
    assert {o.finding.kind for o in found(linear(), epsilon=1.0, steps=10)} == {Kind.ABSTAINED}
