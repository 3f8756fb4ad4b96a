"""FAB and DeepFool against closed forms: both follow boundaries as they look to first order."""

from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.seam.hint import Hint
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear, Staircase, TinyReLU

FAB, DEEPFOOL = method("fab"), method("deepfool")
EVERY = [pytest.param(m, norm, id=f"{m.name}-{norm}") for m in (FAB, DEEPFOOL) for norm in m.norms]
FREE = Box.unbounded()


def linear(classes: int = 5, d: int = 20) -> Linear:
    rng = np.random.default_rng(classes)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def net(d: int = 12) -> TinyReLU:
    rng = np.random.default_rng(1)
    return TinyReLU(
        rng.normal(size=(16, d)), rng.normal(size=16), rng.normal(size=(4, 16)) / 4, 0.1 * rng.normal(size=4)
    )


def samples(d: int = 20, n: int = 6) -> Samples:
    return Samples(np.random.default_rng(1).uniform(0.2, 0.8, (n, d)).astype(np.float32), tuple(range(n)), labels=None)


def attacked(which, norm, model, what, *, box=FREE, epsilon=None, targeted=None, **params):
    threat = Threat(norm, box, epsilon=epsilon, targeted=targeted)
    return run(model, what, which, which.params(**params), threat, Budget(None), seed=0)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize(("which", "norm"), EVERY)
def test_on_a_linear_model_the_distance_is_within_one_per_cent_of_the_closed_form(which, norm, classes):
    model, what = linear(classes), samples()
    for outcome, x in zip(attacked(which, norm, model, what), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, norm)
        assert true * (1 - 1e-6) <= outcome.finding.value <= 1.01 * true


@pytest.mark.parametrize("norm", FAB.norms)
def test_fab_towards_each_rival_finds_the_nearest_too_at_one_gradient_a_step(norm):
    model, what = linear(4), samples()
    for outcome, x in zip(attacked(FAB, norm, model, what, towards="each", steps=20), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, norm)
        assert true * (1 - 1e-6) <= outcome.finding.value <= 1.01 * true
        assert outcome.finding.gradients == 3 * 20


def test_fab_looks_at_every_rival_each_step_and_at_each_point_once():
    (outcome,) = attacked(FAB, Norm.L2, net(), samples(12, 1), steps=7)
    assert outcome.finding.gradients == 7 * 3
    assert outcome.finding.queries == 1 + 7 + 8 + 1


@pytest.mark.parametrize("norm", NORMS)
def test_fab_comes_nearer_than_where_it_first_succeeded_and_restarts_lose_nothing(norm):
    model, what = net(), samples(12, 5)
    once, twice = (attacked(FAB, norm, model, what, box=Threat().box, restarts=r) for r in (1, 2))
    for first, second in zip(once, twice, strict=True):
        assert first.finding.value <= first.finding.details["trace"][0][1]
        assert second.finding.value <= first.finding.value


def leading(norm, model, what, **params):
    return attacked(FAB, norm, model, what, **{"box": Threat().box, "towards": "leading", "steps": 90, **params})


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("norm", FAB.norms)
def test_fab_towards_whichever_leads_is_within_one_per_cent_of_the_closed_form_at_one_gradient_a_step(norm, classes):
    model, what = linear(classes), samples()
    for outcome, x in zip(leading(norm, model, what, box=FREE), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, norm)
        assert true * (1 - 1e-6) <= outcome.finding.value <= 1.01 * true
        assert outcome.finding.gradients == 90


@pytest.mark.parametrize("norm", FAB.norms)
def test_fab_towards_whichever_leads_reaches_a_target(norm):
    model, what = linear(4), samples()
    for outcome, x in zip(leading(norm, model, what, box=FREE, targeted="least_likely"), what.x, strict=True):
        wanted = int(model.scores(x[None])[0].argmin())
        assert int(model.labels(outcome.x_adv[None])[0]) == wanted


def plateau(d: int = 16) -> TinyReLU:
    """Two classes: flat until the mean of the features passes .35, from there a slope that crosses at .45."""
    return TinyReLU(np.full((1, d), 1 / d), np.array([-0.35]), np.array([[0.0], [10.0]]), np.array([1.0, 0.0]))


@pytest.mark.parametrize("runs", ["long", "short"])
@pytest.mark.parametrize(("norm", "true"), [(Norm.L2, 1.0), (Norm.LINF, 0.25), (Norm.L1, 4.0)])
def test_fab_towards_whichever_leads_comes_back_from_far_away_where_the_sample_sees_no_slope(norm, true, runs):
    what = Samples(np.full((1, 16), 0.2, np.float32), (0,), labels=None)
    (published,) = attacked(FAB, norm, plateau(), what, box=Threat().box)
    assert published.finding.kind is Kind.ABSTAINED
    (ours,) = leading(norm, plateau(), what, runs=runs)
    assert true * (1 - 1e-6) <= ours.finding.value <= 1.01 * true


def test_fab_towards_whichever_leads_never_ends_behind_a_hint():
    model, what = net(), samples(12, 5)
    before = leading(Norm.L2, model, what, steps=40)
    hints = tuple(Hint(o.x_adv, o.finding.value) for o in before)
    after = leading(Norm.L2, model, replace(what, hints=hints), steps=3)
    for first, second in zip(before, after, strict=True):
        assert second.finding.value <= first.finding.value


class Noted(TinyReLU):
    """A network that keeps the rows where it was asked how its scores change."""

    def jacobian(self, x):
        self.__dict__.setdefault("asked", []).append(x)
        return super().jacobian(x)


def test_short_runs_of_fab_see_more_places_with_as_many_gradients():
    what, seen = Samples(np.full((1, 30), 0.5, np.float32), (0,), labels=None), {}
    for runs in ("long", "short"):
        rng = np.random.default_rng(3)
        weights = rng.normal(size=(60, 30)), rng.normal(size=60), rng.normal(size=(6, 60)), rng.normal(size=6)
        model = Noted(*weights)
        (outcome,) = leading(Norm.L1, model, what, runs=runs, steps=300)
        away = np.abs(np.concatenate(model.asked)[-300:] - what.x[0]).sum(axis=1)
        jumps = (away[1:] > 3 * outcome.finding.value) & (away[:-1] < 2 * outcome.finding.value)
        seen[runs] = np.count_nonzero(jumps)
    assert seen["short"] > 1.5 * seen["long"] > 0, seen


def hidden_pair(d: int = 40) -> TinyReLU:
    """Two classes: features 3 and 7 together, each beyond .6, decide; so does the sum of all, which is far away."""
    W, a = np.zeros((3, d)), np.array([-0.6, -0.6, -0.5 * d])
    W[0, 3] = W[1, 7] = 1
    W[2] = 1
    return TinyReLU(W, a, np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]), np.array([0.5, 0.0]))


def test_fab_towards_whichever_leads_finds_the_pair_of_features_that_decides_behind_a_plateau():
    what = Samples(np.full((1, 40), 0.2, np.float32), (0,), labels=None)
    (ours,) = leading(Counting.L0, hidden_pair(), what, runs="short", overshoot=1.3)
    assert ours.finding.value == 2
    assert set(np.flatnonzero(ours.x_adv != what.x[0])) == {3, 7}


def test_fab_counts_pixels_where_the_threat_does():
    """Features 3 and 7 are one pixel of two channels."""
    pixels = np.empty(40, np.int64)
    pixels[[3, 7, *(i for i in range(40) if i not in (3, 7))]] = np.arange(40) // 2
    threat, what = Threat(Counting.L0, pixels=pixels), Samples(np.full((1, 40), 0.2, np.float32), (0,), labels=None)
    params = FAB.params(towards="leading", runs="short", overshoot=1.3)
    (ours,) = run(hidden_pair(), what, FAB, params, threat, Budget(None), seed=0)
    assert ours.finding.value == 1


def test_fab_refuses_short_runs_where_no_run_begins_anew():
    with pytest.raises(ValidationError, match="ask for towards leading"):
        FAB.params(runs="short")


@pytest.mark.parametrize("given", [{"restarts": 2}, {"rivals": 3}])
def test_fab_towards_whichever_leads_refuses_what_would_have_no_meaning(given):
    with pytest.raises(ValidationError, match="leave out restarts and rivals"):
        FAB.params(towards="leading", **given)
    FAB.params.model_validate(FAB.params(towards="leading").model_dump())  # as a job keeps them: all of them


def test_fab_reaches_a_target_that_another_class_stands_before():
    model, what = linear(5), samples()
    outcomes = attacked(FAB, Norm.L2, model, what, targeted="least_likely")
    assert {o.finding.kind for o in outcomes} == {Kind.UPPER_BOUND}
    for outcome in outcomes:
        assert model.labels(outcome.x_adv[None])[0] == model.scores(what.x)[outcome.finding.index].argmin()


def test_deepfool_stops_at_its_first_success():
    (outcome,) = attacked(DEEPFOOL, Norm.L2, linear(2), samples(n=1))
    assert outcome.finding.gradients == 1
    assert outcome.finding.queries == 1 + 1 + 8 + 1


@pytest.mark.parametrize(("which", "norm"), EVERY)
def test_within_an_epsilon_that_is_too_small_nothing_is_told(which, norm):
    model, what = linear(3), samples()
    smallest = min(model.radius(x, int(model.labels(x[None])[0]), norm) for x in what.x)
    outcomes = attacked(which, norm, model, what, epsilon=0.99 * smallest)
    assert {(o.finding.kind, o.finding.details["reason"]) for o in outcomes} == {(Kind.ABSTAINED, "not_found")}


@pytest.mark.parametrize(("which", "norm"), EVERY)
def test_where_no_gradient_leads_anywhere_the_finding_says_so(which, norm):
    model = Staircase(linear(3), 0.5)
    (outcome,) = attacked(which, norm, model, samples(n=1), box=Threat().box, steps=3)
    assert outcome.finding.kind is Kind.ABSTAINED
    assert outcome.finding.details["warnings"] == ["zero_gradients"]
    assert all(np.array_equal(rows, rows[:1].repeat(len(rows), 0)) for rows in model.differentiated)


@pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])
def test_deepfool_does_not_follow_a_boundary_that_no_valid_point_reaches(norm):
    """The boundary of class 1 is nearest to first order, but the box ends before it; that of class 2 is within."""
    model = Linear(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]), np.array([1.0, -0.05, 0.2]))
    what = Samples(np.float32([[0.9, 0.0]]), (0,), labels=None)
    deepfool = method("deepfool")
    (outcome,) = run(model, what, deepfool, deepfool.params(), Threat(norm), Budget(None), seed=0)
    assert outcome.finding.value == pytest.approx(0.8, rel=0.01)
