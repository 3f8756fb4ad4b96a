"""Input-free: tilings as they are laid, and the way to a class against what is known of linear models."""

import numpy as np
import pytest

from algorithms.attacks.input_free.attack import CANDIDATES, WARM_UP_PAIRS, WARM_UP_STEPS
from algorithms.attacks.input_free.tiling import Tiling, sides_to_try
from algorithms.attacks.input_free.traveler import LEAST_STEP, PATIENCE, Traveler
from algorithms.driver.running import Samples, run
from algorithms.mathematics.windows import Canvas
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Constant, Linear, Staircase

INPUT_FREE = method("input_free")
SHAPES = [(3, 8, 8), (8, 8, 3), (8, 8), (7,), (1,), (1, 5, 12)]


def fool(model, indices, *, box=Threat().box, queries=10_000, **params):
    gray = np.repeat(box.middle(model.shape)[None], len(indices), axis=0)
    what = Samples(gray, tuple(indices), labels=None, targets=np.array(indices))
    threat = Threat(box=box, targeted="given")
    return run(model, what, INPUT_FREE, INPUT_FREE.params(**params), threat, Budget(queries), seed=3)


def linear(shape, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return Linear(rng.normal(size=(classes, int(np.prod(shape)))), rng.normal(size=classes), shape=shape)


@pytest.mark.parametrize(("length", "side"), [(12, 4), (13, 4), (15, 4), (9, 7), (5, 5)])
def test_a_region_repeats_as_often_as_it_fits_and_is_mirrored_on_what_is_left(length, side):
    tiling = Tiling.of(Canvas.of((1, length, length)), side)
    patch = np.random.default_rng(0).normal(size=(2, 1, side, side)).astype(np.float32)
    whole = tiling.tile(patch)
    assert whole.shape == (2, 1, length, length) and tiling.shape == (1, side, side)
    left = length % side
    start, end = left // 2, length - (left - left // 2)
    core = whole[:, :, start:end, start:end]
    np.testing.assert_array_equal(core, np.tile(patch, (1, 1, length // side, length // side)))
    rows = whole[0, 0, :, start]
    np.testing.assert_array_equal(rows[:start], rows[start : 2 * start][::-1])
    np.testing.assert_array_equal(rows[end:], rows[2 * end - length : end][::-1])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_region_larger_than_the_image_is_all_of_it(shape):
    canvas = Canvas.of(shape)
    patch = np.random.default_rng(0).normal(size=(1, canvas.channels, canvas.height, canvas.width)).astype(np.float32)
    np.testing.assert_array_equal(Tiling.of(canvas, 99).tile(patch), patch)


@pytest.mark.parametrize(
    ("shape", "least", "most"),
    [
        ((3, 299, 299), 32, 149),  # as the authors' code has them
        ((224, 224, 3), 32, 112),
        ((3, 32, 32), 16, 32),
        ((1, 28, 28), 14, 28),
        ((8, 8), 4, 8),
        ((240,), 32, 120),
        ((7,), 4, 7),
        ((1,), 1, 1),
    ],
)
def test_the_warm_up_draws_sides_that_leave_enough_to_move(shape, least, most):
    assert sides_to_try(Canvas.of(shape)).tolist() == list(range(least, most + 1))


def test_a_point_moves_by_whole_steps_along_signs_that_repeat_with_the_region():
    shape = (2, 9, 9)
    (outcome,) = fool(linear(shape), [2], region=4, pairs=3)
    away = (outcome.x_adv.astype(np.float64) - 0.5)[:, :8, :8]  # one column is left over, and comes behind
    np.testing.assert_allclose(away[:, :4, :4], away[:, 4:, 4:], atol=3e-7)
    assert outcome.finding.details["region"] == 4


def test_on_a_linear_model_a_class_costs_as_many_steps_as_its_margin_takes_them():
    """With enough pairs every sign is right: a step of s adds s ||w_t - w_j||_1 to the margin over the rival j."""
    weights, bias, step, pairs = np.array([[0.0] * 4, [1.0, -2.0, 3.0, -4.0]]), np.array([0.9, 0.0]), 0.02, 400
    model = Linear(weights, bias, shape=(4,))
    (outcome,) = fool(model, [1], region=4, pairs=pairs, step=step, momentum=0.0, queries=None)
    behind = float(bias[0] - (weights[1] * 0.5).sum() - bias[1])
    steps = int(np.floor(behind / (step * np.abs(weights[1]).sum()))) + 1
    assert outcome.finding.value == 1 + steps * (2 * pairs + 1) + 1
    np.testing.assert_allclose(outcome.x_adv, 0.5 + step * steps * np.sign(weights[1]), atol=1e-6)


def test_a_class_that_only_shares_the_lead_at_gray_is_searched_like_any_other():
    """A linear model whose boundaries all meet in the middle of the box answers gray with class 0, by a tie."""
    weights = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32).astype(np.float64)
    tied = Linear(weights, np.zeros(3), shape=(6,))
    outcomes = fool(tied, [0, 1, 2], box=Box(np.float32(-1), np.float32(1)), pairs=4)
    assert [outcome.finding.kind for outcome in outcomes] == [Kind.FOOLED] * 3
    assert outcomes[0].finding.queries > 2
    np.testing.assert_array_equal(tied.labels(np.stack([outcome.x_adv for outcome in outcomes])), [0, 1, 2])


def test_the_queries_of_the_warm_up_are_counted():
    model = linear((6,))
    other = 1 - min(1, int(model.labels(np.full((1, 6), 0.5, np.float32))[0]))
    model.queried.clear()
    (outcome,) = fool(model, [other], queries=None)
    assert outcome.finding.queries == model.queries > CANDIDATES * WARM_UP_STEPS * (2 * WARM_UP_PAIRS + 1)


def test_where_margins_do_not_grow_the_step_is_halved_and_has_an_end():
    traveler = Traveler(np.zeros((1, 1, 2, 2), np.float32), Tiling.of(Canvas.of((2, 2)), 2), Threat(), 0.01, 0.0)
    steps = []
    for margin in [*range(PATIENCE + 2), *range(100, 0, -1)]:
        traveler.arrive(traveler.point, float(margin))
        steps.append(traveler._step)
    assert steps[: PATIENCE + 3] == [0.01] * (PATIENCE + 3)  # they grow
    assert sorted(set(steps), reverse=True) == [*(0.01 / 2**k for k in range(8)), LEAST_STEP]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_layout_is_fooled_within_its_box(shape):
    model, box = linear(shape, classes=3), Box(np.float32(-2) * np.ones((), np.float32), np.float32(5) * np.ones(()))
    for outcome in fool(model, [0, 1, 2], box=box):
        if outcome.x_adv is not None:
            assert outcome.x_adv.shape == shape and box.contains(outcome.x_adv[None]).all()
            assert model.labels(outcome.x_adv[None])[0] == outcome.finding.index
    assert all(box.contains(rows).all() for rows in model.queried)


def test_probabilities_are_climbed_by_their_logarithms_to_the_same_end():
    class SoftMax(Linear):
        gives_probabilities = True

        def logits(self, x):
            z = super().logits(x)
            p = np.exp(z - z.max(axis=1, keepdims=True))
            return p / p.sum(axis=1, keepdims=True)

    plain = linear((5, 5))
    told = fool(SoftMax(plain.weights, plain.bias, (5, 5)), range(4))
    for a, b in zip(told, fool(plain, range(4)), strict=True):
        assert a.finding.kind is b.finding.kind is Kind.FOOLED
        assert abs(a.finding.value - b.finding.value) <= 21  # differences of float32 may turn a sign


def test_a_plateau_is_looked_across_with_a_warning():
    stairs = Staircase(linear((4, 4)), 0.1)
    outcomes = fool(stairs, range(4))
    assert {outcome.finding.kind for outcome in outcomes} == {Kind.FOOLED}
    assert any("plateau" in outcome.finding.details.get("warnings", ()) for outcome in outcomes)


def test_where_nothing_is_seen_however_far_a_class_is_given_up_long_before_the_budget():
    (outcome,) = fool(Constant(np.array([1.0, 0.0]), (4, 4)), [1], queries=None)
    assert (outcome.finding.kind, outcome.finding.details["reason"]) == (Kind.ABSTAINED, "not_found")
    assert outcome.finding.details["warnings"] == ["plateau"] and outcome.finding.queries < 200


def test_a_box_as_wide_as_float32_leads_to_no_nan():
    most = np.finfo(np.float32).max
    box = Box(-most * np.ones((), np.float32), most * np.ones((), np.float32))
    model = Linear(np.array([[0.0, 0.0], [1e-38, 0.0]]), np.array([1.0, 0.0]), (2,))
    fool(model, [1], box=box, queries=200)
    assert all(np.isfinite(rows).all() for rows in model.queried)
