"""Decision's moves, what they earn, and what other samples have shown, where the truth is known."""

import numpy as np
import pytest

from algorithms.artifacts.warm_up import CLASSES, EARNED, MOST_MOVES, SHARE, WAYS, declared, share
from algorithms.artifacts.wish import check
from algorithms.attacks.decision.earnings import EXPLORE, Earnings
from algorithms.attacks.decision.params import DecisionParams
from algorithms.attacks.decision.spaces import FEWEST, UploadSpan, spaces
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.case import Case
from algorithms.threats.threat import Box, Threat
from tests.truths import Disc, Linear

ATTACK = method("decision")
D = 30
NOTHING = np.zeros((0, MOST_MOVES), np.float32)


def linear():
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(3, D)), 0.1 * rng.normal(size=3))


def samples(n=4, **more):
    x = np.random.default_rng(5).uniform(0.3, 0.7, (n, D)).astype(np.float32)
    return Samples(x, tuple(range(n)), labels=None, **more)


def go(model, what, queries=2000, **threat):
    asked = Threat(**{"box": Box.unbounded()} | threat)
    return run(model, what, ATTACK, DecisionParams(), asked, Budget(queries), seed=1)


@pytest.mark.parametrize("norm", ATTACK.norms)
def test_it_comes_near_the_true_radius_of_a_linear_model(norm):
    model, what = linear(), samples()
    findings = [outcome.finding for outcome in go(model, what, norm=norm)]
    found = np.array([finding.value for finding in findings])
    true = np.array([model.radius(x, finding.label, norm) for x, finding in zip(what.x, findings, strict=True)])
    assert (found >= true * (1 - 1e-6)).all()
    assert np.median(found / true) < (1.05 if norm is Norm.L2 else 1.25)


def test_it_comes_near_the_true_radius_of_a_ball():
    model = Disc(np.zeros(D), rim=2.0)
    (outcome,) = go(model, Samples(np.full((1, D), 0.1, np.float32), (0,), labels=None))
    true = 2.0 - 0.1 * np.sqrt(D)
    assert true * (1 - 1e-6) <= outcome.finding.value < 1.05 * true


def test_the_move_that_earns_most_is_played_and_every_so_often_the_one_that_waits():
    earnings, played = Earnings(3), []
    for _ in range(4 * EXPLORE):
        move = earnings.choose()
        played.append(move)
        earnings.learn(move, 1.0, (0.9, 0.5, 0.8)[move], 10)
    assert set(played[:3]) == {0, 1, 2}
    assert all(move == 1 for place, move in enumerate(played[3:], 4) if place % EXPLORE)
    assert {0, 2} <= set(played[3:])


def test_a_move_that_lost_ground_has_earned_nothing_and_one_that_never_played_is_told_as_such():
    earnings = Earnings(2)
    earnings.learn(0, 1.0, 1.5, 10)
    assert earnings.told == [0.0, None]


def test_a_move_that_found_nothing_to_ask_has_had_its_turn():
    """Where float32 cannot tell the point from the sample a way back may ask nothing: the others play, too."""
    earnings, played = Earnings(3), []
    for _ in range(4):
        played.append(earnings.choose())
        earnings.learn(played[-1], 0.0 if len(played) == 2 else 1.0, 1.0, 0)
    assert set(played) == {0, 1, 2} and earnings.told == [0.0, 0.0, 0.0]


def test_what_others_have_seen_moves_earn_is_where_a_sample_begins():
    assert Earnings(3, [0.1, 0.3, 0.2]).choose() == 1
    assert Earnings(3, [0.1, 0.3]).choose() == 0, "of other moves: nothing is known"


def test_the_span_draws_unit_offsets_that_are_even_in_the_span():
    rows = np.random.default_rng(0).random((FEWEST + 2, 6, 10), np.float32)
    span = UploadSpan.of(np.concatenate([rows, rows[:3]]))
    assert span.dimensions(60) == FEWEST + 2
    drawn = np.empty((4000, 6, 10), np.float32)
    span.draw(np.random.default_rng(1), drawn)
    flat = drawn.reshape(4000, -1).astype(np.float64)
    np.testing.assert_allclose(np.linalg.norm(flat, axis=1), 1, atol=1e-5)
    basis = np.linalg.qr(rows.reshape(len(rows), -1).T.astype(np.float64))[0]
    inside = flat @ basis
    np.testing.assert_allclose(np.linalg.norm(inside, axis=1), 1, atol=1e-4)
    assert np.abs(np.cov(inside.T) * len(rows) - np.eye(len(rows))).max() < 0.15


@pytest.mark.parametrize("rows", [FEWEST - 1, 31])
def test_a_span_of_few_directions_or_of_half_of_all_is_no_space_of_its_own(rows):
    assert UploadSpan.of(np.random.default_rng(0).random((rows, 60), np.float32)) is None


def test_tables_have_no_low_frequencies():
    case = Case(np.zeros(D, np.float32), 0, None, None, 2, Stream(0, 0, "decision"))
    image = Case(np.zeros((1, 8, 8), np.float32), 0, None, None, 2, Stream(0, 0, "decision"))
    assert (list(spaces(case, Threat())), list(spaces(image, Threat()))) == (["full"], ["full", "dct"])


def shown(what, found, queries=0, **changed):
    """What these samples show to others."""
    ways = np.array([outcome.x_adv - x for outcome, x in zip(found, what.x, strict=True)])
    classes = [(outcome.finding.label, outcome.finding.details["read_as"]) for outcome in found]
    known = {
        WAYS: ways,
        CLASSES: np.array(classes, np.int64),
        EARNED: np.zeros((len(ways), MOST_MOVES), np.float32),
        SHARE: np.array([share(queries, 16)]),
    }
    check(known | changed, declared(what.x.shape[1:], len(ways)))
    return known | changed


def test_a_way_of_the_same_class_is_tried_first_and_what_is_found_is_the_same_in_company():
    model, what = linear(), samples()
    known = shown(what, go(model, what), queries=100)
    together = go(model, samples(prepared=known), queries=60)
    for place in range(4):
        alone = run(
            model,
            Samples(what.x[place : place + 1], (place,), labels=None, prepared=known),
            ATTACK,
            DecisionParams(),
            Threat(box=Box.unbounded()),
            Budget(60),
            seed=1,
        )
        assert alone[0].finding == together[place].finding
    model.queried.clear()
    (first, *_) = go(model, Samples(what.x[:1], (0,), labels=None, prepared=known), queries=60)
    far = what.x[0] + 2 * known[WAYS][0]
    np.testing.assert_array_equal(model.queried[1][0], far)
    assert first.finding.details["warm_up_queries"] == 7


def test_ways_of_other_classes_are_left_alone():
    model, what = linear(), samples(1)
    known = shown(what, go(model, what))
    other = known | {CLASSES: np.array([[(known[CLASSES][0, 0] + 1) % 3, known[CLASSES][0, 0]]]), EARNED: NOTHING}
    (with_it,) = go(model, samples(1, prepared=other), queries=200)
    (without,) = go(model, samples(1), queries=200)
    assert with_it.finding.value == without.finding.value


def test_a_target_takes_only_ways_that_led_to_it():
    model, what = linear(), samples(1)
    known = shown(what, go(model, what))
    label, reached = known[CLASSES][0].tolist()
    (other,) = {0, 1, 2} - {label, reached}
    for target, tries_it in ((reached, True), (other, False)):
        model.queried.clear()
        go(model, samples(1, prepared=known, targets=np.array([target])), queries=50, targeted="given")
        far = what.x[0] + 2 * known[WAYS][0]
        assert any(np.array_equal(row, far) for rows in model.queried for row in rows) == tries_it
