"""Auto-PGD against closed forms, its papers' boxes step by step, and models that lead it nowhere."""

import numpy as np
import pytest

from algorithms.attacks.apgd.attack import APGDParams
from algorithms.attacks.apgd.rules import checkpoints
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.seam.hint import Hint
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear, Staircase, TinyReLU

APGD = method("apgd")
FREE = Box.unbounded()


def linear(classes: int = 5, d: int = 20) -> Linear:
    rng = np.random.default_rng(classes)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def samples(d: int = 20, n: int = 6) -> Samples:
    return Samples(np.random.default_rng(1).uniform(0.2, 0.8, (n, d)).astype(np.float32), tuple(range(n)), labels=None)


def attacked(model, what=None, *, norm=Norm.L2, box=FREE, epsilon=None, targeted=None, budget=None, **params):
    threat = Threat(norm, box, epsilon=epsilon, targeted=targeted)
    return run(model, what or samples(), APGD, APGDParams(**params), threat, Budget(None, budget), seed=0)


def found(outcomes):
    return np.array([o.finding.value or np.inf for o in outcomes])


@pytest.mark.parametrize("loss", ["cross_entropy", "dlr", "margin", "targeted_dlr"])
@pytest.mark.parametrize("norm", NORMS)
def test_between_two_classes_the_distance_is_within_one_per_cent_of_the_closed_form(norm, loss):
    model, what = linear(2), samples()
    for outcome, x in zip(attacked(model, what, norm=norm, loss=loss), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, norm)
        assert true * (1 - 1e-6) <= outcome.finding.value <= 1.01 * true


@pytest.mark.parametrize("norm", NORMS)
def test_among_several_classes_the_rival_that_is_nearest_is_found_one_by_one(norm):
    model, what = linear(5), samples()
    for outcome, x in zip(attacked(model, what, norm=norm, loss="targeted_dlr"), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, norm)
        assert true * (1 - 1e-6) <= outcome.finding.value <= 1.01 * true


@pytest.mark.parametrize(("loss", "slack"), [("cross_entropy", 0.1), ("dlr", 0.01), ("margin", 0.01)])
@pytest.mark.parametrize("norm", NORMS)
def test_aimed_at_the_nearest_rival_first_no_loss_ends_at_a_far_one(norm, loss, slack):
    """The cross-entropy leads away from all other rivals, too, and so a little aside."""
    model, what = linear(10), samples()
    true = np.array([model.radius(x, int(model.labels(x[None])[0]), norm) for x in what.x])
    aimed = found(attacked(model, what, norm=norm, loss=loss, steps=50))
    assert ((true * (1 - 1e-6) <= aimed) & (aimed <= (1 + slack) * true)).all()


def test_at_an_epsilon_it_is_aimed_at_the_nearest_rival_too():
    model, what = linear(10), samples()
    for i, x in enumerate(what.x):
        one = Samples(x[None], (i,), labels=None)
        true = model.radius(x, int(model.labels(x[None])[0]), Norm.L2)
        (near,) = attacked(model, one, epsilon=0.99 * true, steps=20)
        (far,) = attacked(model, one, epsilon=1.02 * true, steps=20)
        assert (near.finding.kind, far.finding.kind) == (Kind.ABSTAINED, Kind.UPPER_BOUND)


@pytest.mark.parametrize("norm", NORMS)
def test_just_inside_the_true_radius_nothing_is_found_and_just_outside_something_is(norm):
    model, what = linear(2), samples(n=3)
    for i, x in enumerate(what.x):
        one = Samples(x[None], (i,), labels=None)
        true = model.radius(x, int(model.labels(x[None])[0]), norm)
        inside, outside = (attacked(model, one, norm=norm, epsilon=s * true)[0].finding for s in (0.99, 1.02))
        assert (inside.kind, inside.details["reason"]) == (Kind.ABSTAINED, "not_found")
        assert outside.kind is Kind.UPPER_BOUND and outside.value <= 1.02 * true


def test_checkpoints_are_those_of_the_paper():
    """p_j = 0, .22, .41, .57, .70, .80, .87, .93, .99 (Croce & Hein 2020, sec. 3.2)."""
    assert checkpoints(100) == {22, 41, 57, 70, 80, 87, 93, 99}


def net(seed: int = 0, d: int = 12) -> TinyReLU:
    rng = np.random.default_rng(seed)
    return TinyReLU(
        rng.normal(size=(16, d)), rng.normal(size=16), rng.normal(size=(4, 16)) / 4, 0.1 * rng.normal(size=4)
    )


@pytest.mark.parametrize("norm", NORMS)
def test_an_ascent_costs_a_gradient_a_step_and_a_look_at_its_end(norm):
    (outcome,) = attacked(net(), samples(12, 1), norm=norm, epsilon=1e-6, aim="loss", steps=25, restarts=2)
    assert outcome.finding.kind is Kind.ABSTAINED
    wide = 2 if norm is Norm.L1 else 0  # balls before the last, which end by a look too
    assert outcome.finding.gradients == 2 * 25
    assert outcome.finding.queries == 1 + 2 * (1 + wide)


@pytest.mark.parametrize("norm", NORMS)
def test_every_point_asked_lies_within_the_radius(norm):
    model, what, epsilon = net(), samples(12, 1), 0.01
    attacked(model, what, norm=norm, epsilon=epsilon, box=Threat().box, steps=30)
    reach = 3 if norm is Norm.L1 else 1  # the first balls are wider there
    offsets = np.concatenate(model.differentiated).astype(np.float64) - what.x
    lengths = np.linalg.norm(offsets, norm.p, axis=1)
    assert lengths.max() <= reach * epsilon * (1 + 1e-6)
    assert lengths[-12:].max() <= epsilon * (1 + 1e-6)


def test_targeted_the_target_is_reached():
    model, what = linear(5), samples()
    for outcome in attacked(model, what, targeted="least_likely", steps=40):
        assert int(model.labels(outcome.x_adv[None])[0]) == int(model.scores(what.x)[outcome.finding.index].argmin())


def test_a_hint_is_asked_about_and_a_search_begins_there():
    model, what = linear(3), samples(n=1)
    (known,) = attacked(model, what)
    hinted = Samples(what.x, what.indices, None, hints=(Hint(known.x_adv, known.finding.value),))
    (outcome,) = attacked(model, hinted)
    assert outcome.finding.value <= known.finding.value
    (at_epsilon,) = attacked(model, hinted, epsilon=known.finding.value * 1.01, aim="loss")
    assert at_epsilon.finding.gradients == 0 and at_epsilon.finding.value == known.finding.value


def test_where_no_gradient_leads_anywhere_the_finding_says_so():
    (outcome,) = attacked(Staircase(linear(3), 0.5), samples(n=1), box=Threat().box, epsilon=1e-3, steps=5)
    assert outcome.finding.details["zero_gradient_share"] == 1.0
    assert outcome.finding.details["warnings"] == ["zero_gradients"]
