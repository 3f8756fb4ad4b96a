"""Attacks that walk along a boundary by labels alone, on planes and balls: there the nearest point is known."""

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
from tests.truths import ClosedForm, Constant, Disc, Linear

NAMES = ("cgba", "cgba_h", "tangent")
walks = pytest.mark.parametrize("name", NAMES)
ways = pytest.mark.parametrize(("name", "norm"), [(name, norm) for name in NAMES for norm in method(name).norms])
STEPPING = ("boundary", "surfree")  # all samples in step, a row each
stepping = pytest.mark.parametrize("name", STEPPING)
every_way = pytest.mark.parametrize(
    ("name", "norm"), [(name, norm) for name in NAMES + STEPPING for norm in method(name).norms]
)
NEAR = {Norm.L2: 1.05, Norm.LINF: 1.1}  # of the truth, after 10,000 queries


def linear(d=30, classes=3, seed=3):
    rng = np.random.default_rng(seed)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def samples(d=30, n=3):
    return Samples(np.random.default_rng(5).uniform(0.3, 0.7, (n, d)).astype(np.float32), tuple(range(n)), None)


def go(name, model, what, *, queries=2000, params=None, **threat):
    chosen = method(name)
    asked = Threat(**{"box": Box.unbounded()} | threat)
    return run(model, what, chosen, chosen.params(**(params or {})), asked, Budget(queries), seed=1)


@ways
@pytest.mark.parametrize("classes", [2, 10])
def test_on_a_linear_model_it_comes_near_the_truth_and_never_below(name, norm, classes):
    model, what = linear(classes=classes), samples()
    for outcome, x in zip(go(name, model, what, queries=10_000, norm=norm), what.x, strict=True):
        ratio = outcome.finding.value / model.radius(x, outcome.finding.label, norm)
        assert 1 - 1e-6 <= ratio <= NEAR[norm]


@walks
def test_out_of_a_ball_it_ends_at_the_nearest_point_of_the_rim(name):
    """The boundary bends towards the sample."""
    model, x = Disc(np.full(20, 0.5), rim=0.4), np.full((1, 20), 0.5, np.float32)
    x[0, 0] += 0.1
    (outcome,) = go(name, model, Samples(x, (0,), None), queries=5000, box=Threat().box)
    assert 0.3 <= outcome.finding.value <= 0.33


class Ball(ClosedForm):
    """Class 1 within a ball around a center, class 0 elsewhere: the boundary bends away from the sample."""

    def __init__(self, center, rim):
        super().__init__(center.shape, 2)
        self.center, self.rim = center, rim

    def logits(self, x):
        return np.stack([np.square(x - self.center).sum(axis=1) - self.rim**2, np.zeros(len(x))], axis=1)

    def jacobian(self, x):
        raise NotImplementedError


@walks
def test_into_a_ball_it_ends_at_the_nearest_point_of_the_rim(name):
    """The start is a sample of the upload that lies in the ball, far from the way to its center."""
    center, x = np.zeros(20), np.zeros((1, 20), np.float32)
    center[0] = 2.0
    pool = (center + 0.9 * np.eye(20)[1]).astype(np.float32)[None]
    what = Samples(x, (0,), None, pool=pool)
    (outcome,) = go(name, Ball(center, 1.0), what, queries=5000)
    assert 1.0 <= outcome.finding.value <= 1.1


@every_way
def test_targeted_it_ends_in_the_target(name, norm):
    model, what = linear(), samples()
    targets = (model.labels(what.x) + 1) % 3
    given = replace(what, targets=targets)
    for outcome, x in zip(go(name, model, given, queries=5000, norm=norm, targeted="given"), what.x, strict=True):
        target = int(targets[outcome.finding.index])
        assert model.labels(outcome.x_adv[None])[0] == target
        radius = model.radius(x, outcome.finding.label, norm, target)
        assert radius * (1 - 1e-6) <= outcome.finding.value <= 1.1 * radius


@every_way
def test_with_epsilon_it_stops_as_soon_as_it_is_within(name, norm):
    model, what = linear(), samples()
    epsilon = (1.1 if name in STEPPING else 1.5) * max(
        model.radius(x, int(model.labels(x[None])[0]), norm) for x in what.x
    )
    for outcome in go(name, model, what, queries=50_000, norm=norm, epsilon=epsilon):
        assert outcome.finding.ended == "finished"
        assert outcome.finding.value <= epsilon
        assert outcome.finding.queries < 3000


@walks
def test_it_asks_for_labels_alone(name):
    model = linear()
    model.offers = model.offering(Access.LABELS)
    assert {o.finding.kind for o in go(name, model, samples())} == {Kind.UPPER_BOUND}


@stepping
def test_it_asks_for_labels_alone_and_ends_by_itself_where_it_has_come_to_rest(name):
    model = linear(classes=2)
    model.offers = model.offering(Access.LABELS)
    for outcome in go(name, model, samples(), queries=None):
        assert (outcome.finding.kind, outcome.finding.ended) == (Kind.UPPER_BOUND, "finished")
        assert outcome.finding.queries < 20_000


@walks
def test_what_it_shows_lies_behind_the_boundary_and_not_on_it(name):
    model, what = linear(), samples()
    for outcome, x in zip(go(name, model, what), what.x, strict=True):
        label = outcome.finding.label
        margin = lambda f, c: f[c] - np.delete(f, c).max()  # noqa: E731
        clean, found = (margin(model.logits(p.astype(np.float64).ravel()[None])[0], label) for p in (x, outcome.x_adv))
        assert -0.01 * clean < found < -1e-5 * clean


@walks
def test_a_constant_model_ends_it_without_a_finding(name):
    model, x = Constant(np.array([0.5, 0.1]), (4,)), np.zeros((2, 4), np.float32)
    found = go(name, model, Samples(x, (0, 1), None), queries=None, box=Threat().box)
    assert {o.finding.kind for o in found} == {Kind.ABSTAINED}


@walks
@pytest.mark.parametrize("box", [(0.5, 0.5), (0.5, 0.5000001)], ids=["a point", "hardly more"])
def test_a_box_without_room_ends_it_without_a_finding(name, box):
    x = np.full((1, 30), 0.5, np.float32)
    here = Box(*(np.float32(side) * np.ones((), np.float32) for side in box))
    (outcome,) = go(name, linear(), Samples(x, (0,), None), box=here)
    assert outcome.finding.kind is Kind.ABSTAINED


@walks
def test_without_a_budget_it_ends_by_itself(name):
    short = {"iterations": 10, "initial_directions": 5}
    for outcome in go(name, linear(), samples(n=1), queries=None, params=short):
        assert (outcome.finding.ended, outcome.finding.kind) == ("finished", Kind.UPPER_BOUND)


@walks
def test_far_from_the_origin_float32_ends_its_searches_and_nothing_hangs(name):
    model = linear()
    model.bias -= model.weights @ np.full(30, 1e6)
    x = (samples().x + np.float32(1e6)).astype(np.float32)
    for outcome in go(name, model, Samples(x, (0, 1, 2), None), queries=500):
        assert outcome.finding.queries <= 500


@walks
@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_in_other_units_it_comes_as_near(name, scale):
    """Boxes and distances a thousand times as small, or as large."""
    model, what = linear(), samples()
    model.weights /= scale
    box = Box(*(np.float32(side * scale) * np.ones((), np.float32) for side in (-2, 3)))
    scaled = Samples((what.x * np.float32(scale)).astype(np.float32), what.indices, None)
    for outcome, x in zip(go(name, model, scaled, queries=5000, box=box), scaled.x, strict=True):
        ratio = outcome.finding.value / model.radius(x, outcome.finding.label, Norm.L2)
        assert 1 - 1e-6 <= ratio <= 1.2


@walks
@pytest.mark.parametrize("shape", [(1,), (2,), (1, 3), (4, 4), (1, 16, 16), (12, 12, 3)])
def test_every_shape_has_directions_by_default(name, shape):
    d = int(np.prod(shape))
    rng = np.random.default_rng(d)
    model = Linear(rng.normal(size=(2, d)), np.zeros(2), shape)
    what = Samples(rng.uniform(0.3, 0.7, (1, *shape)).astype(np.float32), (0,), None)
    (outcome,) = go(name, model, what, queries=800)
    assert outcome.finding.kind is Kind.UPPER_BOUND


@walks
def test_an_image_model_that_listens_to_fine_detail_is_not_judged_by_low_frequencies_alone(name):
    """Weights of white noise: half of the frequencies of each axis hold a quarter of their square."""
    rng = np.random.default_rng(0)
    model = Linear(rng.normal(size=(2, 64)), np.zeros(2), (1, 8, 8))
    what = Samples(rng.uniform(0.3, 0.7, (2, 1, 8, 8)).astype(np.float32), (0, 1), None)
    for outcome, x in zip(go(name, model, what, queries=4000), what.x, strict=True):
        assert outcome.finding.value <= 1.1 * model.radius(x, outcome.finding.label, Norm.L2)
