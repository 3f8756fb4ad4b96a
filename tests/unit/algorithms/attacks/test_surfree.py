"""SurFree where the truth is known, and by its own rules: distances that never grow, turns as long as they may be."""

import numpy as np
import pytest

from algorithms.attacks.surfree.past import Past
from algorithms.attacks.surfree.turns import HALVINGS, NARROW, PolarTurns
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.case import Case, Cohort
from algorithms.seam.claims import Kind, Outcome, UpperBound
from algorithms.searches.directions.full import Full
from algorithms.searches.labels.first_points import FirstPoints
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Disc, Linear

ATTACK = method("surfree")


def linear(d: int = 30, classes: int = 2) -> Linear:
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def samples(d: int = 30, n: int = 4) -> Samples:
    x = np.random.default_rng(5).uniform(0.3, 0.7, (n, d)).astype(np.float32)
    return Samples(x, tuple(range(n)), labels=None)


def go(
    model: ClosedForm, what: Samples, *, queries: int | None = 2000, params: dict[str, object] | None = None, **threat
) -> list[Outcome]:
    asked = Threat(**{"box": Box.unbounded()} | threat)
    return run(model, what, ATTACK, ATTACK.params(**params or {}), asked, Budget(queries), seed=1)


@pytest.mark.parametrize("d", [1, 2, 3, 30, 100])
def test_on_a_half_space_it_comes_within_3_percent_of_the_truth_and_never_below(d):
    model, what = linear(d), samples(d, n=2)
    for outcome, x in zip(go(model, what, queries=20 * d + 500), what.x, strict=True):
        ratio = outcome.finding.value / model.radius(x, outcome.finding.label, Norm.L2)
        assert 1 - 1e-6 <= ratio <= 1.03


def test_inside_a_ball_it_comes_within_2_percent_of_the_way_to_its_rim():
    model = Disc(np.full(20, 0.5), rim=0.4)
    x = np.full((3, 20), 0.5, np.float32)
    x[np.arange(3), np.arange(3)] += 0.1
    for outcome in go(model, Samples(x, (0, 1, 2), None), box=Threat().box):
        assert 0.3 * (1 - 1e-6) <= outcome.finding.value <= 0.3 * 1.02


def test_outside_a_ball_it_comes_within_2_percent_of_the_way_to_it():
    model = Disc(np.full(20, 0.5), rim=0.5)
    x = np.full((2, 20), 0.5, np.float32)
    x[:, 3] += 1.5
    what = Samples(x, (0, 1), None, pool=np.full((1, 20), 0.5, np.float32))
    for outcome in go(model, what):
        assert 1 - 1e-6 <= outcome.finding.value <= 1.02


def test_a_model_that_listens_to_fine_detail_is_found_out_unless_low_frequencies_are_asked_for():
    w = np.random.default_rng(0).normal(size=64)
    w /= np.linalg.norm(w)
    model, x = Linear(np.stack([w, -w]), np.array([0.2 - w.sum(), 0.0]), (1, 8, 8)), np.full((2, 1, 8, 8), 0.5)
    what, truth = Samples(x.astype(np.float32), (0, 1), None), 0.1
    found = {
        space: [o.finding.value for o in go(model, what, queries=1200, params={"directions": space})]
        for space in (None, "dct")
    }
    assert model.radius(what.x[0], 0, Norm.L2) == pytest.approx(truth, rel=1e-6)
    assert max(found[None]) < 1.1 * truth and min(found["dct"]) > 1.3 * truth


def test_directions_are_at_right_angles_to_the_last_ones():
    rng, who = np.random.default_rng(0), np.array([0, 2])
    past, held = Past(3, 40, dimensions=40, most=5), []
    for _ in range(12):
        drawn = past.without(who, rng.normal(size=(2, 40)).astype(np.float32))
        for last in held[-5:]:
            assert np.abs(np.einsum("ij,ij->i", last, drawn)).max() < 1e-4 * np.linalg.norm(drawn)
        held.append(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))
        past.add(who, drawn)


@pytest.mark.parametrize(("dimensions", "most"), [(1, 0), (2, 0), (3, 0), (4, 1), (100, 5)])
def test_half_of_a_small_space_is_left_to_draw_from(dimensions, most):
    past, rows, who = Past(1, 100, dimensions=dimensions, most=5), np.ones((1, 100), np.float32), np.zeros(1, np.int64)
    past.add(who, rows)
    assert bool(np.abs(past.without(who, rows)).max() > 0.5) == (most == 0)


def turned(angle: float, boundary: float) -> tuple[PolarTurns, list[float], int]:
    """One direction of a sample at the origin, at distance 1, whose boundary is a plane through the point.

    `boundary`: the angle at which the circle meets the plane again. Returns turns, claims, queries.
    """
    x, point = np.zeros((1, 3), np.float32), np.array([[1, 0, 0]], np.float32)
    threat = Threat(box=Box.unbounded())
    cohort = Cohort((Case(x[0], 0, None, None, 2, Stream(0, 0, "test")),), np.ones(1, np.bool_))
    turns = PolarTurns(cohort, threat, FirstPoints(point, np.ones(1)), [Full(Norm.L2)], np.degrees(angle), 0.95, 0)
    across, steps = None, turns.turn(np.zeros(1, np.int64), 1)
    claimed, asked, answer = [], 0, None
    try:
        while True:
            said = steps.send(answer)
            answer = None
            if isinstance(said, UpperBound):
                claimed.append(float(np.linalg.norm(said.x_adv)))
                continue
            z, asked = said.rows[0].astype(np.float64), asked + 1
            if across is None:  # the first turn tells which way it goes
                across = z - z[0] * np.array([1, 0, 0])
                normal = np.cos(boundary) * np.array([1, 0, 0]) + np.sin(boundary) * across / np.linalg.norm(across)
            answer = np.array([int(z @ normal >= normal[0])])  # Thales: z(a) lies beyond the plane for a < boundary
    except StopIteration:
        return turns, claimed, asked


@pytest.mark.parametrize("boundary", [0.35, 0.5, 1.0, 1.4, -0.35, -1.2])
def test_a_turn_goes_as_far_as_a_flat_boundary_lets_it(boundary):
    turns, claimed, asked = turned(0.3, boundary)
    best = np.cos(boundary)
    assert best <= turns.distance[0] <= best + 0.01 and claimed == sorted(claimed, reverse=True)
    assert claimed[-1] == pytest.approx(turns.distance[0], rel=1e-6)
    assert asked <= 2 + 3 + HALVINGS
    assert turns.angle[0] == pytest.approx(0.3 / 0.95)


def test_a_direction_that_leads_nowhere_costs_two_queries_and_shortens_the_next_turn():
    turns, claimed, asked = turned(0.3, 0.2)
    assert (turns.distance[0], claimed, asked) == (1.0, [], 2)
    assert turns.angle[0] == pytest.approx(0.3 * 0.95)


def test_small_turns_are_not_halved():
    """Between 0.05 and 0.1 radians the cosine changes by 0.0037: less than gamma."""
    turns, _, asked = turned(0.05, 0.09)
    assert turns.distance[0] == pytest.approx(np.cos(0.05), abs=1e-6) and asked == 2


def test_more_angles_are_tried_before_a_direction_is_given_up():
    what = samples()
    first = [o.finding.queries for o in go(linear(), what, params={"iterations": 40})]
    more = [o.finding.queries for o in go(linear(), what, params={"iterations": 40, "angles": 3})]
    assert all(a < b for a, b in zip(first, more, strict=True))


def test_where_turns_are_small_the_next_space_is_drawn_from():
    """Of three dimensions: NARROW / sqrt(3) radians are the bound."""
    bound = NARROW / np.sqrt(3)
    assert turned(0.99 * bound, 0.001)[0].law.tolist() == [0], "there is no other"
    x = np.zeros((2, 3), np.float32)
    cohort = Cohort(tuple(Case(row, 0, None, None, 2, Stream(0, 0, "test")) for row in x), np.ones(2, np.bool_))
    first = FirstPoints(x + 1, np.full(2, np.sqrt(3)))
    turns = PolarTurns(cohort, Threat(), first, [Full(Norm.L2)] * 2, np.degrees(1.01 * bound), 0.95, 0)
    steps = turns.turn(np.array([1]), 1)
    next(steps)
    steps.send(np.zeros(1, np.int64))
    with pytest.raises(StopIteration):
        steps.send(np.zeros(1, np.int64))
    assert turns.law.tolist() == [0, 1] and turns.angle[1] == pytest.approx(4 * bound)


@pytest.mark.parametrize("box", [(0.5, 0.5), (0.5, 0.5000001)], ids=["a point", "hardly more"])
def test_a_box_without_room_ends_it_without_a_finding(box):
    x = np.full((1, 30), 0.5, np.float32)
    here = Box(*(np.float32(side) * np.ones((), np.float32) for side in box))
    (outcome,) = go(linear(), Samples(x, (0,), None), box=here)
    assert outcome.finding.kind is Kind.ABSTAINED


def test_far_from_the_origin_float32_moves_nothing_and_nothing_hangs():
    model = linear()
    model.bias -= model.weights @ np.full(30, 1e6)
    x = (samples().x + np.float32(1e6)).astype(np.float32)
    for outcome in go(model, Samples(x, (0, 1, 2, 3), None), queries=500):
        assert outcome.finding.queries <= 500
