"""The boundary attack where the truth is known, and by its own rules: distances that never grow, lengths that fit."""

import math

import numpy as np
import pytest

from algorithms.attacks.boundary.step_lengths import IN_ALL, LONGEST, ON_SPHERE, SPEED, SPHERE_SPEED, StepLengths
from algorithms.attacks.boundary.walk import SphereWalk
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.case import Case, Cohort
from algorithms.seam.claims import Kind, Outcome
from algorithms.searches.directions.draws import Draws
from algorithms.searches.directions.full import Full
from algorithms.searches.labels.first_points import FirstPoints
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Disc, Linear

ATTACK = method("boundary")


def linear(d: int = 30, classes: int = 2, shape: tuple[int, ...] | None = None) -> Linear:
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes), shape or (d,))


def samples(d: int = 30, n: int = 4) -> Samples:
    x = np.random.default_rng(5).uniform(0.3, 0.7, (n, d)).astype(np.float32)
    return Samples(x, tuple(range(n)), labels=None)


def go(
    model: ClosedForm, what: Samples, *, queries: int | None = 2000, params: dict[str, object] | None = None, **threat
) -> list[Outcome]:
    asked = Threat(**{"box": Box.unbounded()} | threat)
    return run(model, what, ATTACK, ATTACK.params(**params or {}), asked, Budget(queries), seed=1)


@pytest.mark.parametrize("d", [1, 2, 30, 300])
def test_on_a_half_space_it_comes_within_3_percent_of_the_truth_and_never_below(d):
    model, what = linear(d), samples(d, n=2)
    for outcome, x in zip(go(model, what, queries=10 * d + 4000), what.x, strict=True):
        ratio = outcome.finding.value / model.radius(x, outcome.finding.label, Norm.L2)
        assert 1 - 1e-6 <= ratio <= 1.03


def test_inside_a_ball_it_comes_within_2_percent_of_the_way_to_its_rim():
    model = Disc(np.full(20, 0.5), rim=0.4)
    x = np.full((3, 20), 0.5, np.float32)
    x[np.arange(3), np.arange(3)] += 0.1
    for outcome in go(model, Samples(x, (0, 1, 2), None), queries=4000, box=Threat().box):
        assert 0.3 * (1 - 1e-6) <= outcome.finding.value <= 0.3 * 1.02


def test_outside_a_ball_it_comes_within_2_percent_of_the_way_to_it():
    """The pool holds a point of the ball; the boundary bends away from the sample."""
    model = Disc(np.full(20, 0.5), rim=0.5)
    x = np.full((2, 20), 0.5, np.float32)
    x[:, 3] += 1.5
    what = Samples(x, (0, 1), None, pool=np.full((1, 20), 0.5, np.float32))
    for outcome in go(model, what, queries=3000):
        assert 1 - 1e-6 <= outcome.finding.value <= 1.02


@pytest.mark.parametrize("every", [1, 7])
def test_so_many_steps_cost_a_query_each_and_one_more_for_each_look_at_the_sphere_that_is_adversarial(every):
    what, few, more = samples(), {"steps": 70, "sphere_every": every}, {"steps": 140, "sphere_every": every}
    costs = [[o.finding.queries for o in go(linear(), what, params=p)] for p in (few, more)]
    for short, long in zip(*costs, strict=True):
        assert 70 <= long - short <= 70 + math.ceil(70 / every)


def walk(n: int, d: int, box: Box, **lengths: float) -> SphereWalk:
    """A walk whose samples stand at random adversarial points."""
    rng, threat = np.random.default_rng(1), Threat(box=box)
    x, points = rng.uniform(0, 1, (2, n, d)).astype(np.float32)
    cases = tuple(Case(x[i], 0, None, None, 2, Stream(0, i, "test")) for i in range(n))
    cohort = Cohort(cases, np.ones(n, np.bool_))
    first = FirstPoints(points, threat.lengths(points.astype(np.float64) - x))
    return SphereWalk(cohort, threat, first, Draws(cohort, Full(Norm.L2), draw=1), sphere_every=2, **lengths)


@pytest.mark.parametrize("box", [Box.unbounded(), Threat().box], ids=["unbounded", "bounded"])
def test_a_step_along_the_sphere_keeps_the_distance_and_one_on_shortens_it_by_epsilon(box):
    steps = walk(6, 40, box, orthogonal_step=0.2, source_step=0.03)
    before, points = steps.distance.copy(), steps.points.copy()
    assert np.array_equal(steps.propose(9), np.arange(6)) and steps.is_on_sphere.all()
    on_sphere = steps.rows(np.arange(6)).copy()
    assert box.contains(on_sphere).all()
    away = np.linalg.norm(on_sphere - steps.x, axis=1)
    moved = np.linalg.norm(on_sphere - points, axis=1) / before
    if box.is_unbounded:
        np.testing.assert_allclose(away, before, rtol=1e-5)
        np.testing.assert_allclose(moved, 2 * np.sin(np.arctan(0.2) / 2), rtol=1e-3)
    assert (away <= before * (1 + 1e-6)).all()
    assert steps.hear(np.arange(6), np.ones(6, np.int64)) == [], "only half of the step is made"
    steps.propose(9)
    away_at_end = np.linalg.norm(steps.rows(np.arange(6)) - steps.x, axis=1)
    np.testing.assert_allclose(away_at_end, np.minimum(away, 0.97 * before), rtol=1e-5)
    assert steps.hear(np.arange(6), np.array([1, 0, 1, 0, 1, 0])) == [0, 2, 4]
    assert (steps.distance[::2] < before[::2]).all() and np.array_equal(steps.distance[1::2], before[1::2])
    assert np.array_equal(steps.points[1::2], points[1::2])


def test_distances_never_grow_whatever_the_model_answers():
    steps, rng = walk(5, 12, Threat().box, orthogonal_step=0.5, source_step=1e-6), np.random.default_rng(0)
    last = steps.distance.copy()
    for _ in range(300):
        asking = steps.propose(10_000)
        steps.hear(asking, rng.integers(0, 2, len(asking)))
        assert (steps.distance <= last).all()
        assert np.array_equal(steps.distance, steps.threat.lengths(steps.points.astype(np.float64) - steps.x))
        last = steps.distance.copy()


@pytest.mark.parametrize(("wanted", "speed"), [(ON_SPHERE, SPHERE_SPEED), (IN_ALL, SPEED)])
def test_lengths_settle_where_the_wanted_share_succeeds(wanted, speed):
    """Steps of length t succeed with the probability exp(-t / 0.01): -0.01 log(wanted) is right."""
    rng, who = np.random.default_rng(0), np.arange(50)
    steps = StepLengths(50, 0.3, wanted=wanted, speed=speed)
    seen = []
    for k in range(1000):
        wins = rng.random(50) < np.exp(-steps.lengths / 0.01)
        steps.hear(who, wins)
        seen += [wins.mean()] if k >= 500 else []
    assert np.mean(seen) == pytest.approx(wanted, abs=0.02)
    assert np.median(steps.lengths) == pytest.approx(-0.01 * math.log(wanted), rel=0.2)


def test_no_length_grows_beyond_half_the_distance_and_only_who_was_asked_changes():
    steps = StepLengths(2, 0.4, wanted=0.28, speed=0.2)
    for _ in range(50):
        steps.hear(np.array([0]), np.array([True]))
    assert steps.lengths.tolist() == [LONGEST, 0.4]


@pytest.mark.parametrize("directions", ["dct", "bilinear"])
def test_in_a_subspace_that_holds_the_normal_it_needs_fewer_queries(directions):
    shape, x = (1, 16, 16), np.full((3, 1, 16, 16), 0.5, np.float32)
    smooth = np.outer(np.cos(np.pi * np.arange(16) / 16), np.ones(16)).ravel()
    model = Linear(np.stack([smooth, -smooth]), np.array([0.2, 0.0]), shape)

    def median(**params):
        found = go(model, Samples(x, (0, 1, 2), None), queries=500, params=params, box=Threat().box)
        return np.median([o.finding.value for o in found])

    assert median(directions=directions) < median()


def test_far_from_the_origin_float32_moves_nothing_and_nothing_hangs():
    model = linear()
    model.bias -= model.weights @ np.full(30, 1e6)
    x = (samples().x + np.float32(1e6)).astype(np.float32)
    for outcome in go(model, Samples(x, (0, 1, 2, 3), None), queries=500):
        assert outcome.finding.queries <= 500


@pytest.mark.parametrize("box", [(0.5, 0.5), (0.5, 0.5000001)], ids=["a point", "hardly more"])
def test_a_box_without_room_ends_it_without_a_finding(box):
    x = np.full((1, 30), 0.5, np.float32)
    here = Box(*(np.float32(side) * np.ones((), np.float32) for side in box))
    (outcome,) = go(linear(), Samples(x, (0,), None), box=here)
    assert outcome.finding.kind is Kind.ABSTAINED
