"""OPT, Sign-OPT and SVM-OPT where the truth is known, and where their line search and their ends are tried."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Constant, Disc, Linear, Staircase

FREE = Box.unbounded()
names = pytest.mark.parametrize("name", ["opt", "sign_opt", "svm_opt"])
norms = pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])


def linear(d=20, classes=3, seed=3):
    rng = np.random.default_rng(seed)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def samples(d=20, n=2):
    return Samples(np.random.default_rng(5).uniform(0.3, 0.7, (n, d)).astype(np.float32), tuple(range(n)), None)


def go(name, model, what, *, queries=1500, params=None, **threat):
    """With 20 directions an estimate, so that there are many."""
    asked, chosen = Threat(**{"box": FREE} | threat), method(name)
    return run(
        model,
        what,
        chosen,
        chosen.params.model_validate({"name": name, "probes": 20, **(params or {})}),
        asked,
        Budget(queries),
        seed=1,
    )


@names
@pytest.mark.parametrize("classes", [2, 10])
def test_on_a_linear_model_it_comes_within_1_percent_of_the_truth_and_never_below(name, classes):
    model, what = linear(classes=classes), samples()
    for outcome, x in zip(go(name, model, what, queries=3000), what.x, strict=True):
        ratio = outcome.finding.value / model.radius(x, outcome.finding.label, Norm.L2)
        assert 1 - 1e-6 <= ratio <= 1.01


@names
def test_in_linf_it_comes_within_10_percent(name):
    model, what = linear(), samples()
    for outcome, x in zip(go(name, model, what, queries=3000, norm=Norm.LINF), what.x, strict=True):
        ratio = outcome.finding.value / model.radius(x, outcome.finding.label, Norm.LINF)
        assert 1 - 1e-6 <= ratio <= 1.1


@names
def test_out_of_a_ball_it_comes_to_the_nearest_point(name):
    model, x = Disc(np.full(20, 0.5), rim=0.4), np.full((1, 20), 0.5, np.float32)
    x[0, 0] += 0.1
    (outcome,) = go(name, model, Samples(x, (0,), None), queries=3000, box=Threat().box)
    assert 0.3 <= outcome.finding.value <= 0.303


@names
@norms
def test_targeted_it_starts_from_the_pool_and_ends_in_the_target(name, norm):
    model, what = linear(), samples()
    targets = (model.labels(what.x) + 1) % 3
    others = np.random.default_rng(0).normal(size=(60, 20)).astype(np.float32)
    given = replace(what, targets=targets, pool=others)
    for outcome, x in zip(go(name, model, given, norm=norm, targeted="given"), what.x, strict=True):
        target = int(targets[outcome.finding.index])
        assert model.labels(outcome.x_adv[None])[0] == target
        radius = model.radius(x, outcome.finding.label, norm, target)
        assert radius * (1 - 1e-6) <= outcome.finding.value <= 1.3 * radius


@names
@norms
def test_with_epsilon_it_stops_as_soon_as_it_is_within(name, norm):
    model, what = linear(), samples()
    epsilon = 1.5 * max(model.radius(x, int(model.labels(x[None])[0]), norm) for x in what.x)
    for outcome in go(name, model, what, queries=50_000, norm=norm, epsilon=epsilon):
        assert outcome.finding.ended == "finished"
        assert outcome.finding.value <= epsilon
        assert outcome.finding.queries < 2500


@names
def test_it_asks_for_labels_alone(name):
    model = linear()
    model.offers = model.offering(Access.LABELS)
    assert {o.finding.kind for o in go(name, model, samples(), queries=500)} == {Kind.UPPER_BOUND}


@names
def test_the_unit_of_the_samples_does_not_matter(name):
    """0 to 255, or 0 to 1: the same search, at 255 times the distance."""
    model, what = linear(), samples()
    large = Linear(model.weights / 256, model.bias)
    found = go(name, model, what, queries=1000)
    larger = go(name, large, replace(what, x=what.x * np.float32(256)), queries=1000)
    for one, other in zip(found, larger, strict=True):
        assert other.finding.value == pytest.approx(256 * one.finding.value, rel=0.02)


@names
def test_where_the_box_cuts_the_ray_the_distance_is_that_of_the_valid_point(name):
    """Half of the features lie at the box's end, with the normal leading out there: they cannot help."""
    w = np.ones(20)
    x = np.full((1, 20), 0.5, np.float32)
    x[0, :10] = 1.0
    model = Linear(np.stack([-w, 0 * w]), np.array([w @ x[0].astype(float) + 2, 0.0]))  # the sum has to grow by 2
    (outcome,) = go(name, model, Samples(x, (0,), None), queries=4000, box=Threat().box)
    truth = 2 / np.sqrt(10)
    assert truth <= outcome.finding.value <= 1.01 * truth
    assert np.linalg.norm(outcome.x_adv.astype(float) - x[0]) == pytest.approx(outcome.finding.value)


@names
def test_without_a_budget_it_ends_by_itself(name):
    params = {"iterations": 5, "probes": 10}
    (outcome,) = go(name, linear(), samples(n=1), queries=None, params=params)
    assert (outcome.finding.ended, outcome.finding.kind) == ("finished", Kind.UPPER_BOUND)


@names
def test_a_constant_model_is_left_after_the_starts(name):
    (outcome,) = go(name, Constant(np.array([1.0, 0.0]), (8,)), samples(8, 1), queries=None, box=Threat().box)
    assert (outcome.finding.kind, outcome.finding.queries) == (Kind.ABSTAINED, 1 + 20 + 202)


@names
@norms
def test_far_from_the_origin_float32_ends_every_search(name, norm):
    model = linear()
    model.bias -= model.weights @ np.full(20, 1e6)
    x = samples().x + np.float32(1e6)
    for outcome in go(name, model, Samples(x, (0, 1), None), queries=600, norm=norm):
        assert outcome.finding.queries <= 600


@names
@pytest.mark.parametrize("box", [(0.5, 0.5), (0.5, 0.5000001)], ids=["a point", "hardly more"])
def test_a_box_without_room_ends_it_without_a_finding(name, box):
    here = Box(*(np.float32(side) * np.ones((), np.float32) for side in box))
    (outcome,) = go(name, linear(), Samples(np.full((1, 20), 0.5, np.float32), (0,), None), box=here)
    assert outcome.finding.kind is Kind.ABSTAINED


def test_steps_of_one_percent_find_the_same_with_more_queries():
    """Cheng et al.'s own local search beside the one that doubles its steps: at equal queries it is farther away."""
    model, what = linear(d=40), samples(d=40)
    ours, papers = (
        [o.finding.value for o in go("opt", model, what, params={"search": s})] for s in ("doubling", "paper")
    )
    assert np.mean(ours) < np.mean(papers)
    (long,) = go("opt", model, samples(d=40, n=1), params={"search": "paper"}, queries=15_000)
    assert long.finding.value <= 1.02 * model.radius(what.x[0], long.finding.label, Norm.L2)


def test_a_descent_that_has_come_to_rest_begins_again_elsewhere():
    """The first start leads to one face of the linear model, another one to the nearest."""
    model, what = linear(d=30, classes=3), samples(d=30, n=4)
    for outcome, x in zip(go("opt", model, what, queries=12_000), what.x, strict=True):
        assert outcome.finding.value <= 1.02 * model.radius(x, outcome.finding.label, Norm.L2)


@names
def test_where_its_only_start_is_used_up_it_goes_on_from_where_it_stands(name):
    """A small ball around a corner of the box, which no noise meets."""
    corner, x = (np.arange(20) % 2).astype(np.float32), np.zeros((1, 20), np.float32)
    given = replace(Samples(x, (0,), None), pool=0.95 * corner[None])
    (outcome,) = go(name, Disc(corner, rim=0.5), given, queries=3000, box=Threat().box)
    assert outcome.finding.ended == "budget"
    assert np.sqrt(10) - 0.5 <= outcome.finding.value <= 1.01 * (np.sqrt(10) - 0.5)


@names
def test_a_model_that_rounds_its_input_like_an_image_is_still_come_close_to(name):
    """To 255 steps, which its gradient hides behind: the radius is nearly that of the linear model within."""
    inner = linear(d=30, classes=2)
    for outcome, x in zip(
        go(name, Staircase(inner, 1 / 255), samples(d=30), queries=2500), samples(d=30).x, strict=True
    ):
        assert outcome.finding.value <= 1.4 * inner.radius(x, outcome.finding.label, Norm.L2)
