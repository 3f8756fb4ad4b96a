"""AutoAttack: its parts in order, each on what is still robust, and what its checks warn of."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear, Staircase

AUTOATTACK = method("autoattack")
WHITE = ["apgd_ce", "apgd_t", "fab_t"]


def linear(classes: int = 5, d: int = 16, kind=Linear) -> Linear:
    rng = np.random.default_rng(classes)
    return kind(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes), (1, 4, 4))


def samples(n: int = 6) -> Samples:
    x = np.random.default_rng(1).uniform(0.4, 0.6, (n, 1, 4, 4)).astype(np.float32)
    return Samples(x, tuple(range(n)), labels=None)


def attacked(model, what, *, norm=Norm.LINF, epsilon, box=Threat().box, **params):
    small = {"steps": 10, "square_steps": 50} | params
    threat = Threat(norm, box, epsilon=epsilon)
    return run(model, what, AUTOATTACK, AUTOATTACK.params(**small), threat, Budget(None), seed=0)


def radii(model, what, norm=Norm.LINF):
    return np.array([model.radius(x, int(model.labels(x[None])[0]), norm) for x in what.x])


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_broken_is_what_lies_within_epsilon(norm):
    model, what = linear(), samples()
    away = radii(model, what, norm)
    epsilon = float(np.sort(away)[2:4].mean())
    outcomes = attacked(model, what, norm=norm, epsilon=epsilon, box=Box.unbounded(), steps=50)
    assert [o.finding.kind is Kind.UPPER_BOUND for o in outcomes] == (away < epsilon).tolist()


def test_parts_come_in_the_order_of_the_standard_and_stop_where_a_sample_is_broken():
    model, what = linear(), samples()
    away = radii(model, what)
    for outcome, radius in zip(attacked(model, what, epsilon=float(np.median(away))), away, strict=True):
        details = outcome.finding.details
        every = [*WHITE, "square"]
        if outcome.x_adv is None:
            assert (details["parts"], details["broken_by"]) == (every, None)
        else:
            assert radius <= np.median(away)
            assert details["parts"] == every[: every.index(details["broken_by"]) + 1]
        assert details["warnings"] == []


def test_a_sample_that_holds_pays_for_every_part():
    (outcome,) = attacked(linear(), samples(1), epsilon=1e-4)
    assert outcome.finding.gradients == 10 + 4 * 10 + 4 * 10
    looks = 1 + 4  # at the ends of ascents
    halved = 8  # what FAB found beyond epsilon
    assert outcome.finding.queries == 1 + 2 + looks + 4 * 10 + halved + (1 + 50)


@pytest.mark.parametrize(("classes", "instead"), [(2, "apgd_margin"), (3, "apgd_dlr")])
def test_with_few_classes_another_loss_takes_the_place_of_targeted_dlr_and_that_is_said(classes, instead):
    (outcome,) = attacked(linear(classes), samples(1), epsilon=1e-4)
    assert outcome.finding.details["parts"] == ["apgd_ce", instead, "fab_t", "square"]
    assert outcome.finding.details["warnings"] == ["few_classes"]


def test_square_breaks_what_gradients_do_not_see_and_both_is_said():
    model, what = Staircase(linear(), 0.05), samples()
    outcomes = attacked(model, what, epsilon=0.3, square_steps=300)
    broken = [o.finding.details for o in outcomes if o.x_adv is not None]
    assert broken
    for details in broken:
        assert details["broken_by"] == "square"
        assert details["warnings"] == ["zero_gradients", "square_beats_white_box"]


class Random(Linear):
    """Answers differ a little from call to call."""

    def scores(self, rows):
        return super().scores(rows) + np.float32(0.01 * len(self.queried))


def test_a_model_that_does_not_answer_alike_is_told_of():
    for outcome in attacked(linear(kind=Random), samples(2), epsilon=0.01):
        assert "randomized_output" in outcome.finding.details["warnings"]


def test_parts_draw_numbers_of_their_own_and_what_one_finds_is_the_same_alone():
    model, what = linear(), samples()
    epsilon = float(np.median(radii(model, what)))
    together = attacked(model, what, epsilon=epsilon)
    for i, outcome in enumerate(together):
        (alone,) = attacked(model, Samples(what.x[[i]], (i,), labels=None), epsilon=epsilon)
        assert alone.finding == outcome.finding
