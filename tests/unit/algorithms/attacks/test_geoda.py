"""GeoDA where the truth is known: on half-spaces in each norm, in and out of a box, and on a ball."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from algorithms.attacks.geoda.attack import GeoDAParams, cross
from algorithms.attacks.geoda.path import NormalPath
from algorithms.attacks.geoda.schedule import GROWTH, split
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.mathematics.streams import Stream
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.case import Case
from algorithms.seam.claims import Kind, Outcome
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.directions.full import Full
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.threats.threat import Box, Threat
from tests.balls import least_change
from tests.truths import ClosedForm, Constant, Disc, Linear
from tests.unit.algorithms.searches.conversing import answered

ATTACK = method("geoda")
SHAPE = (2, 15)
X = np.random.default_rng(4).uniform(0.05, 0.6, SHAPE).astype(np.float32)
W = np.random.default_rng(5).normal(size=SHAPE)
norms = pytest.mark.parametrize("norm", NORMS)
boxes = pytest.mark.parametrize("box", [Box.unbounded(), Threat().box], ids=["unbounded", "cube"])


def gain(w: np.ndarray, radius: float, norm: Norm, box: Box) -> float:
    """The most that w.z grows within this distance of X, by another road."""
    return -least_change(-w.ravel(), X.astype(np.float64).ravel(), radius, norm, box)


@norms
@boxes
def test_a_path_holds_for_each_distance_what_is_farthest_along_the_normal(norm, box):
    threat = Threat(norm=norm, box=box)
    path = NormalPath(X, W, 0.1, 0.9, threat)
    for share in (0.0, 0.3, 1.0):
        point, radius = path.at(share), 0.1 + 0.8 * share
        assert threat.allows(point, X)
        assert threat.distance(point, X) <= radius * (1 + 1e-5)
        assert (W * (point.astype(np.float64) - X)).sum() == pytest.approx(gain(W, radius, norm, box), rel=1e-5)
    np.testing.assert_array_equal(path.x, path.at(0.0))
    np.testing.assert_array_equal(path.far, path.at(1.0))


@norms
@boxes
@pytest.mark.parametrize("begins", [0.5, 3.0], ids=["before the plane", "behind it"])
def test_with_the_true_normal_one_crossing_finds_the_nearest_point_of_a_half_space(norm, box, begins):
    """Whichever point the walk stands on: before the plane, the first step is too short, and longer ones follow."""
    truth = 0.2 * {Norm.L1: 3.0, Norm.L2: 1.0, Norm.LINF: 0.3}[norm]
    level = gain(W, truth, norm, box)  # w.(z - x) from which on the model errs
    threat = Threat(norm=norm, box=box)
    walk = BoundaryWalk(Case(X, 0, None, None, 2, Stream(0, 0, "test")), threat, [Full(norm)], theta=1e-7)
    walk.point = (X + begins * level / (W * W).sum() * W).astype(np.float32)

    def model(said):
        if isinstance(said, AskLabels):
            return ((said.rows.astype(np.float64) - X) * W).sum(axis=(1, 2)) >= level
        return None  # a claim

    path = answered(cross(walk, W), model)
    answered(walk.follow(path), model)
    assert walk.distance == pytest.approx(truth, rel=1e-4)


def test_a_normal_of_zeros_and_a_boundary_out_of_reach_are_crossed_nowhere():
    walk = BoundaryWalk(Case(X, 0, None, None, 2, Stream(0, 0, "test")), Threat(), [Full(Norm.L2)], theta=1e-7)
    walk.point = X + np.float32(0.1)
    asked = []
    for w in (0 * W, W, -W):
        assert answered(cross(walk, w), lambda question: asked.append(question.rows) or np.array([0])) is None
    assert 0 < len(asked) <= 2 * 24


@pytest.mark.parametrize("horizon", [500, 1000, 4000, 10_000, 123_456])
def test_a_horizon_is_split_by_the_papers_law(horizon):
    points = split(horizon)
    assert 50 <= points[0] <= 80
    assert 0.6 * horizon < sum(points) + 25 * len(points) <= horizon
    for before, after in pairwise(points):
        assert after / before == pytest.approx(GROWTH, rel=0.02)


@pytest.mark.parametrize("horizon", range(100, 400, 7))
def test_a_small_horizon_has_an_estimate_at_least_and_the_search_for_their_number_ends(horizon):
    points = split(horizon)
    assert 1 <= points[0] <= 80 and sum(points) <= horizon


def linear(d: int = 30, classes: int = 3) -> Linear:
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def samples(d: int = 30, n: int = 4) -> Samples:
    x = np.random.default_rng(5).uniform(0.3, 0.7, (n, d)).astype(np.float32)
    return Samples(x, tuple(range(n)), labels=None)


def go(
    model: ClosedForm,
    what: Samples,
    *,
    queries: int | None = 3000,
    params: GeoDAParams = GeoDAParams(schedule_horizon=3000),
    pool: np.ndarray | None = None,
    **threat: object,
) -> list[Outcome]:
    asked = Threat(**{"box": Box.unbounded()} | threat)  # type: ignore[arg-type]
    return run(model, replace(what, pool=pool), ATTACK, params, asked, Budget(queries), seed=1)


@norms
@pytest.mark.parametrize("classes", [2, 10])
def test_on_a_linear_model_it_comes_within_5_percent_of_the_truth_and_never_below(norm, classes):
    model, what = linear(classes=classes), samples()
    found = go(model, what, queries=8000, params=GeoDAParams(schedule_horizon=8000), norm=norm)
    ratios = [o.finding.value / model.radius(x, o.finding.label, norm) for o, x in zip(found, what.x, strict=True)]
    assert min(ratios) >= 1 - 1e-6
    assert np.median(ratios) <= 1.05 and max(ratios) <= 1.4, "an unlucky walk ends on another class' plane"


def test_a_curved_boundary_is_followed_to_its_nearest_point():
    model = Disc(np.full(20, 0.5), rim=0.4)
    x = np.full((1, 20), 0.5, np.float32)
    x[0, 0] += 0.1
    (outcome,) = go(model, Samples(x, (0,), None), queries=5000, box=Threat().box)
    assert 0.3 <= outcome.finding.value <= 0.33


@norms
def test_with_epsilon_it_stops_as_soon_as_it_is_within(norm):
    model, what = linear(), samples()
    epsilon = 1.5 * max(model.radius(x, int(model.labels(x[None])[0]), norm) for x in what.x)
    for outcome in go(model, what, queries=50_000, norm=norm, epsilon=epsilon):
        assert outcome.finding.ended == "finished"
        assert outcome.finding.value <= epsilon
        assert outcome.finding.queries < 2500


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


@norms
def test_the_horizon_says_what_is_asked_and_the_budget_only_when_it_ends(norm):
    def asked(queries, horizon):
        model = linear()
        go(model, samples(n=1), queries=queries, params=GeoDAParams(schedule_horizon=horizon), norm=norm)
        return np.concatenate(model.queried)

    short, long, other = asked(600, 1000), asked(1500, 1000), asked(1500, 4000)
    np.testing.assert_array_equal(short[:-1], long[: len(short) - 1])  # the last is the look afresh
    assert len(other) != len(long) or (other != long).any()


def test_images_are_met_by_low_frequencies_and_tables_by_all_there_is():
    """Where the boundary's normal is rough, low frequencies see nothing of it; a table's may be anything."""
    rough = np.where(np.indices((16, 16)).sum(axis=0) % 2, 1.0, -1.0)
    of_images, of_tables = (
        Linear(np.stack([rough.ravel(), 0 * rough.ravel()]), np.array([0.02 * 256, 0.0]), shape)
        for shape in ((1, 16, 16), (256,))
    )
    image, table = (
        go(model, Samples(np.full((1, *model.shape), 0.5, np.float32), (0,), None), box=Threat().box)[0].finding.value
        for model in (of_images, of_tables)
    )
    truth = 0.02 * 16
    assert truth <= table <= 1.1 * truth < image


def test_without_a_budget_it_ends_by_itself():
    few = GeoDAParams(schedule_horizon=200, iterations=10)
    (outcome,) = go(linear(), samples(n=1), queries=None, params=few)
    assert outcome.finding.ended == "finished"
    assert outcome.finding.kind is Kind.UPPER_BOUND


@norms
@pytest.mark.parametrize("box", [(0.5, 0.5), (0.5, 0.5000001)], ids=["a point", "hardly more"])
def test_a_box_without_room_ends_it_without_a_finding(norm, box):
    x = np.full((1, 30), 0.5, np.float32)
    here = Box(*(np.float32(side) * np.ones((), np.float32) for side in box))
    (outcome,) = go(linear(), Samples(x, (0,), None), box=here, norm=norm)
    assert outcome.finding.kind is Kind.ABSTAINED


@norms
def test_a_constant_model_is_left_after_its_starts(norm):
    model = Constant(np.array([0.5, 0.1]), (4,))
    for outcome in go(model, Samples(np.zeros((2, 4), np.float32), (0, 1), None), box=Threat().box, norm=norm):
        assert (outcome.finding.kind, outcome.finding.queries) == (Kind.ABSTAINED, 1 + 20 + 202)


@norms
def test_far_from_the_origin_float32_ends_every_search_and_nothing_hangs(norm):
    model = linear()
    model.bias -= model.weights @ np.full(30, 1e6)
    x = (samples().x + np.float32(1e6)).astype(np.float32)
    for outcome in go(model, Samples(x, (0, 1, 2, 3), None), queries=1000, norm=norm):
        assert outcome.finding.queries <= 1000
        assert outcome.finding.value is None or np.isfinite(outcome.finding.value)
