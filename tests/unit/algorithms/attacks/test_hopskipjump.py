"""HopSkipJump where the truth is known, and where its estimate, its starts and its ends are put to the test."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.artifacts.wish import Arrays
from algorithms.attacks.hopskipjump import HopSkipJumpParams
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind, Outcome
from algorithms.searches.directions.low_frequencies import LowFrequencies
from algorithms.searches.directions.spanning import spanning_basis
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Constant, Disc, Linear

ATTACK = method("hopskipjump")
norms = pytest.mark.parametrize("norm", ATTACK.norms)


def linear(d: int = 30, classes: int = 3, seed: int = 3) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def samples(d: int = 30, n: int = 4) -> Samples:
    x = np.random.default_rng(5).uniform(0.3, 0.7, (n, d)).astype(np.float32)
    return Samples(x, tuple(range(n)), labels=None)


def go(
    model: ClosedForm,
    what: Samples,
    *,
    queries: int | None = 2000,
    pool: np.ndarray | None = None,
    prepared: Arrays | None = None,
    params: HopSkipJumpParams = HopSkipJumpParams(),
    **threat: object,
) -> list[Outcome]:
    asked = Threat(**{"box": Box.unbounded()} | threat)  # type: ignore[arg-type]
    what = replace(what, pool=pool, prepared=prepared or {})
    return run(model, what, ATTACK, params, asked, Budget(queries), seed=1)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_on_a_linear_model_it_comes_within_5_percent_of_the_truth_and_never_below(classes):
    model, what = linear(classes=classes), samples()
    for outcome, x in zip(go(model, what, queries=10_000), what.x, strict=True):
        ratio = outcome.finding.value / model.radius(x, outcome.finding.label, Norm.L2)
        assert 1 - 1e-6 <= ratio <= 1.05


def test_in_linf_it_comes_within_10_percent():
    model, what = linear(), samples()
    for outcome, x in zip(go(model, what, queries=5000, norm=Norm.LINF), what.x, strict=True):
        ratio = outcome.finding.value / model.radius(x, outcome.finding.label, Norm.LINF)
        assert 1 - 1e-6 <= ratio <= 1.1


def test_a_curved_boundary_is_followed_to_its_nearest_point():
    model = Disc(np.full(20, 0.5), rim=0.4)
    x = np.full((1, 20), 0.5, np.float32)
    x[0, 0] += 0.1
    (outcome,) = go(model, Samples(x, (0,), None), queries=5000, box=Threat().box)
    assert 0.3 <= outcome.finding.value <= 0.33


@norms
def test_targeted_it_ends_in_the_target(norm):
    model, what = linear(), samples()
    targets = (model.labels(what.x) + 1) % 3
    given = Samples(what.x, what.indices, None, targets)
    for outcome, x in zip(go(model, given, queries=5000, norm=norm, targeted="given"), what.x, strict=True):
        target = int(targets[outcome.finding.index])
        assert model.labels(outcome.x_adv[None])[0] == target
        radius = model.radius(x, outcome.finding.label, norm, target)
        assert radius * (1 - 1e-6) <= outcome.finding.value <= 1.3 * radius


@norms
def test_with_epsilon_it_stops_as_soon_as_it_is_within(norm):
    model, what = linear(), samples()
    epsilon = 1.5 * max(model.radius(x, int(model.labels(x[None])[0]), norm) for x in what.x)
    for outcome in go(model, what, queries=50_000, norm=norm, epsilon=epsilon):
        assert outcome.finding.ended == "finished"
        assert outcome.finding.value <= epsilon
        assert outcome.finding.queries < 2000


def test_it_asks_for_labels_alone():
    model = linear()
    model.offers = model.offering(Access.LABELS)
    assert {o.finding.kind for o in go(model, samples())} == {Kind.UPPER_BOUND}


@norms
def test_what_it_shows_lies_behind_the_boundary_and_not_on_it(norm):
    model, what = linear(), samples()
    for outcome, x in zip(go(model, what, norm=norm), what.x, strict=True):
        label = outcome.finding.label
        margin = lambda f, c: f[c] - np.delete(f, c).max()  # noqa: E731
        clean, found = (margin(model.logits(p.astype(np.float64).ravel()[None])[0], label) for p in (x, outcome.x_adv))
        assert -0.01 * clean < found < -1e-5 * clean


class Fortress(ClosedForm):
    """Class 1 in a small ball around a corner that no start hits, class 0 elsewhere."""

    def __init__(self, d: int) -> None:
        super().__init__((d,), 2)
        self.corner = np.arange(d) % 2

    def logits(self, x):
        away = np.sqrt(np.square(x - self.corner).sum(axis=1))
        return np.stack([away - 0.5, np.zeros(len(x))], axis=1)

    def jacobian(self, x):
        raise NotImplementedError


def test_where_noise_fools_nobody_it_starts_from_the_uploaded_samples():
    model, x = Fortress(20), np.zeros((2, 20), np.float32)
    what = Samples(x, (0, 1), None)
    corner = (0.95 * model.corner[None]).astype(np.float32)
    assert {o.finding.kind for o in go(model, what, box=Threat().box)} == {Kind.ABSTAINED}
    found = go(model, what, box=Threat().box, pool=np.concatenate([x, corner]), queries=3000)
    truth = np.sqrt(10) - 0.5
    for outcome in found:
        assert truth <= outcome.finding.value <= 1.05 * truth


@norms
def test_a_boundary_close_by_is_found_though_noise_lies_on_one_side_of_it(norm):
    """In 784 features noise that fills the box is seven deviations away from the boundary; the sample is 0.2 away."""
    w = np.random.default_rng(0).normal(size=784)
    w /= np.linalg.norm(w)
    model = Linear(np.stack([w, 0 * w]), np.array([2 - w.sum() / 2, 0.0]))
    x = (0.5 - 1.8 * w).astype(np.float32)[None]
    assert (model.labels(np.random.default_rng(1).random((1000, 784), dtype=np.float32)) == 0).all()
    (outcome,) = go(model, Samples(x, (0,), None), box=Threat().box, norm=norm, queries=3000)
    assert outcome.finding.value <= 2 * model.radius(x[0], 0, norm)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_model_of_brightness_is_fooled_by_black_or_white(sign):
    model = Linear(sign * np.stack([np.ones(784), np.zeros(784)]), sign * np.array([-0.3 * 784, 0.0]))
    x = np.full((1, 784), 0.5 if sign == 1 else 0.1, np.float32)
    (outcome,) = go(model, Samples(x, (0,), None), box=Threat().box)
    assert outcome.finding.kind is Kind.UPPER_BOUND


def test_every_start_is_charged_to_the_sample_that_tries_it():
    model, x = Constant(np.array([0.5, 0.1]), (4,)), np.zeros((3, 4), np.float32)
    pool = np.random.default_rng(0).uniform(size=(7, 4)).astype(np.float32)
    counts = [o.finding.queries for o in go(model, Samples(x, (0, 1, 2), None), box=Threat().box, pool=pool)]
    assert counts == [1 + 20 + 7 + 202] * 3, "the clean row, twenty of noise, the pool, and the last"
    assert model.queries == sum(counts)


def test_the_pool_is_the_same_whoever_shares_the_chunk():
    model, what, pool = linear(), samples(), samples(n=50).x
    together = [o.finding for o in go(model, what, pool=pool)]
    alone = [go(model, Samples(what.x[i : i + 1], (i,), None), pool=pool)[0].finding for i in range(len(what.indices))]
    assert alone == together


def test_without_a_budget_it_ends_by_itself():
    (outcome,) = go(linear(), samples(n=1), queries=None, params=HopSkipJumpParams(iterations=10, initial_directions=5))
    assert outcome.finding.ended == "finished"
    assert outcome.finding.kind is Kind.UPPER_BOUND


@pytest.mark.parametrize("box", [(0.5, 0.5), (0.5, 0.5000001)], ids=["a point", "hardly more"])
def test_a_box_without_room_ends_it_without_a_finding(box):
    x = np.full((1, 30), 0.5, np.float32)
    here = Box(*(np.float32(side) * np.ones((), np.float32) for side in box))
    (outcome,) = go(linear(), Samples(x, (0,), None), box=here)
    assert outcome.finding.kind is Kind.ABSTAINED


def test_far_from_the_origin_float32_ends_the_bisection_and_nothing_hangs():
    model = linear()
    model.bias -= model.weights @ np.full(30, 1e6)
    x = (samples().x + np.float32(1e6)).astype(np.float32)
    for outcome in go(model, Samples(x, (0, 1, 2, 3), None), queries=500):
        assert outcome.finding.queries <= 500


@pytest.mark.parametrize("directions", ["dct", "spanning"])
def test_in_a_subspace_that_holds_the_gradient_it_needs_fewer_queries(directions):
    """d = 400 and a gradient among 25 directions: a cloud of 100 points then tells nearly everything."""
    shape, x = (1, 20, 20), np.full((3, 1, 20, 20), 0.5, np.float32)
    smooth = np.empty((25, *shape), np.float32)
    LowFrequencies.of(shape, 0.25).draw(np.random.default_rng(2), smooth)
    model = Linear(np.stack([smooth[0].ravel(), -smooth[1].ravel()]), np.array([0.2, 0.0]), shape)
    what = Samples(x, (0, 1, 2), None)

    def median(**given):
        return np.median([o.finding.value for o in go(model, what, queries=600, **given)])

    narrow = median(params=HopSkipJumpParams(directions=directions), prepared={"basis": spanning_basis(smooth)})
    assert narrow < 0.9 * median()
