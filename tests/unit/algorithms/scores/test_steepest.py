"""The score by steepest ascent through the driver, on models whose radius or steepest slope is known."""

from functools import partial
from itertools import chain

import numpy as np
import pytest
from pydantic import ValidationError

from algorithms.mathematics.norms import NORMS, Norm
from algorithms.registry import method
from algorithms.scores.steepest.score import SteepestParams, minimum
from algorithms.scores.steepest.steepness import Steepness
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Threat
from tests.exact import Exact, enumerated_cases, linear_cases, programmed_cases
from tests.regions import largest_slope
from tests.scored import linear, sample, scored, tiny
from tests.truths import Constant, Disc, Linear, Staircase, TinyReLU

STEEPEST = method("steepest")
BESIDE_THE_SCORE = """
    status first_order_distance max_gradient_norm steepest_way by_round radius clipped rival rivals_evaluated climbers
    steps warnings
"""
DETAILS = set(BESIDE_THE_SCORE.split())


score = partial(scored, STEEPEST)


# --- against the exact radius ---------------------------------------------------------------------------------------


def is_at_most_exact(case: Exact) -> bool:
    """Whether the score is at most r*, or there is none."""
    value = score(case.model, case.x, case.norm, seed=case.seed).value
    return value is None or value <= case.radius + 1e-6


def test_no_score_of_a_few_exact_cases_lies_above_the_radius():
    assert all(map(is_at_most_exact, chain(linear_cases(5), enumerated_cases(3))))


@pytest.mark.slow
def test_nor_does_one_of_cases_that_programs_solve():
    """`python -m benchmarks calibration` looks at more, and at other kinds."""
    assert [case for case in programmed_cases(4) if not is_at_most_exact(case)] == []


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(3))
def test_a_linear_models_score_is_its_radius(norm, seed):
    model, x = linear(seed), sample(seed=seed)
    finding = score(model, x, norm)
    assert finding.value == pytest.approx(model.radius(x, finding.label, norm), rel=1e-5)
    assert finding.details["first_order_distance"] == pytest.approx(finding.value, rel=1e-9)
    assert (finding.details["status"], finding.details["warnings"]) == ("ok", [])


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(4))
def test_the_climbs_arrive_near_the_exact_lipschitz_constant_of_a_small_net(norm, seed):
    """Within 3 %: the steepest region may meet the ball in a thin corner."""
    net, x = tiny(seed, d=2 + seed % 2), sample(2 + seed % 2)
    details = score(net, x, norm, radius=0.4).details
    label = int(net.labels(x[None])[0])
    exact = largest_slope(net, x.astype(float), 0.4, norm, label, details["rival"], norm)
    assert 0.97 * exact <= details["max_gradient_norm"] <= exact * (1 + 1e-6)
    assert details["steepest_way"] <= exact * (1 + 1e-6)


def test_the_automatic_radius_is_where_margin_over_slope_meets_it():
    """For the disc L(R) = 2 (|x| + R), and margin / L(R) = R has one root."""
    x = np.array([0.6, 0.3, 0.1], np.float32)
    away, margin = np.linalg.norm(x), 1 - np.linalg.norm(x) ** 2
    best = (np.sqrt(away**2 + 2 * margin) - away) / 2
    finding = score(Disc(np.zeros(3), 1.0), x)
    assert best * (1 - 1e-6) <= finding.value <= 1.01 * best
    assert finding.details["radius"] == finding.value


def test_climbing_finds_what_as_many_random_points_miss():
    """One unit among many switches on in a corner of the ball: a random point of 40 dimensions is never there."""
    rng = np.random.default_rng(0)
    x, away = np.zeros(40), rng.normal(size=40)
    away /= np.linalg.norm(away)
    net = TinyReLU(
        np.stack([away, away]), np.array([5.0, -0.6]), np.array([[0.0, 0.0], [0.5, 4.0]]), np.array([2.7 + 2.5, 0.0])
    )
    sampled = scored(method("clever"), net, x, radius=1.0, batches=50, batch_size=128)
    assert score(net, x, radius=1.0).details["max_gradient_norm"] == pytest.approx(4.5)
    assert sampled.details["max_gradient_norm"] < 1


# --- slopes ---------------------------------------------------------------------------------------------------------


def test_slopes_of_points_show_the_largest_radius_that_they_allow():
    slopes = Steepness(np.array([2.0]))
    slopes.meet(np.array([0.0, 1.5, 3.0]), np.zeros(3, int), np.array([1.0, 1.25, 9.0]), np.full((3, 1), 2.0), 0.0)
    assert slopes.shown() == pytest.approx([1.6])  # 2 / 1.25 before the point at 3; 2 / 9 with it
    assert slopes.within(1.0) == pytest.approx([1.0])
    assert slopes.within(5.0) == pytest.approx([2 / 9])


def test_what_a_margin_loses_on_its_way_is_a_slope():
    slopes = Steepness(np.array([2.0, 8.0]))
    slopes.meet(np.array([0.5]), np.zeros(1, int), np.array([1.0]), np.array([[0.0, 9.0]]), 0.0)
    assert slopes.steepest_falls(0.5) == pytest.approx([4.0, 0.0])
    assert slopes.shown()[0] == pytest.approx(0.5)  # another class begins there
    assert np.isinf(slopes.shown()[1])


def test_rounding_of_scores_is_no_slope():
    slopes = Steepness(np.array([1.0]))
    slopes.meet(np.array([1e-6]), np.zeros(1, int), np.array([1.0]), np.array([[1.0 - 1e-5]]), 10.0)
    assert slopes.steepest_falls(1.0) == 0


# --- laws of scale and order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", NORMS)
def test_scaling_the_logits_or_shifting_them_all_changes_nothing(norm):
    net, x = tiny(4), sample(2)
    plain = score(net, x, norm).value
    assert score(TinyReLU(net.W, net.a, 8 * net.V, 8 * net.b), x, norm).value == pytest.approx(plain, rel=1e-5)
    assert score(TinyReLU(net.W, net.a, net.V, net.b + 1), x, norm).value == pytest.approx(plain, rel=1e-4)


def test_a_target_is_the_only_rival():
    model, x = linear(), sample()
    label = int(model.labels(x[None])[0])
    for target in (t for t in range(5) if t != label):
        finding = score(model, x, targets=np.array([target]))
        assert finding.value == pytest.approx(model.radius(x, label, Norm.L2, target), rel=1e-5)
        assert (finding.details["rival"], finding.details["rivals_evaluated"]) == (target, 1)


@pytest.mark.parametrize("shape", [(1,), (3, 2, 2)])
def test_any_shape_and_two_classes_will_do(shape):
    d = int(np.prod(shape))
    model = Linear(np.random.default_rng(2).normal(size=(2, d)), np.zeros(2), shape)
    x = sample(d).reshape(shape)
    finding = score(model, x)
    assert finding.value == pytest.approx(model.radius(x, finding.label, Norm.L2), rel=1e-5)


def test_a_given_radius_caps_the_score():
    model, x = linear(), sample()
    truth = model.radius(x, int(model.labels(x[None])[0]), Norm.L2)
    short, wide = score(model, x, radius=truth / 2), score(model, x, radius=truth * 2)
    assert (short.value, short.details["status"]) == (truth / 2, "censored_at_radius")
    assert wide.value == pytest.approx(truth, rel=1e-5)


def test_another_seed_gives_nearly_the_same_score():
    """What is left to chance are random points where one rival has many climbers, or nothing tells the way."""
    net, x = tiny(4, d=8, hidden=30), sample(8)
    scores = np.array([score(net, x, seed=seed).value for seed in range(5)])
    assert scores.std() <= 0.02 * scores.mean()


# --- models that tell nothing, or not all ---------------------------------------------------------------------------


class Poisoned(Linear):
    """NaN gradients wherever the first feature is above a limit."""

    limit = 0.0

    def jacobian(self, x):
        return np.where(x[:, :1, None] > self.limit, np.nan, super().jacobian(x))


class Rounded(Linear):
    """A linear model behind rounding, whose gradients say a tenth of the truth."""

    def logits(self, x):
        return super().logits(0.05 * np.round(x / 0.05))

    def jacobian(self, x):
        return super().jacobian(x) / 10


@pytest.mark.parametrize("radius", ["auto", 0.5])
@pytest.mark.parametrize(
    "model", [Staircase(linear(), 0.01), Constant(np.array([2.0, 1.0, 0.0]), (12,))], ids=["staircase", "constant"]
)
def test_a_masked_gradient_is_no_good_score(model, radius):
    finding = score(model, sample(), radius=radius)
    assert (finding.kind, finding.value, finding.details["reason"]) == (Kind.ABSTAINED, None, "gradient_masked")


def test_a_margin_that_falls_where_gradients_are_small_is_seen_and_said():
    model, x = Rounded(linear().weights, linear().bias), sample()
    finding = score(model, x)
    assert "gradients_miss_slopes" in finding.details["warnings"]
    assert finding.value <= 1.5 * linear().radius(x, finding.label, Norm.L2)


@pytest.mark.parametrize("limit", [-1.0, 0.6], ids=["at the sample", "nearby"])
def test_a_gradient_that_is_not_finite_ends_in_abstention(limit):
    model = Poisoned(linear().weights, linear().bias)
    model.limit = limit
    x = sample()
    x[0] = 0.5999
    finding = score(model, x)
    assert (finding.kind, finding.details["reason"]) == (Kind.ABSTAINED, "gradient_not_finite")


def test_a_sample_on_the_boundary_scores_zero():
    finding = score(Linear(np.eye(3, 12), np.zeros(3)), np.full(12, 0.5, np.float32))
    assert (finding.kind, finding.value, finding.gradients) == (Kind.ESTIMATE, 0.0, 2)
    assert set(finding.details) == DETAILS


# --- what is said beside the score, and what it costs ---------------------------------------------------------------


@pytest.mark.parametrize("norm", NORMS)
def test_every_detail_of_the_contract_is_there(norm):
    details = score(tiny(4), sample(2), norm).details
    assert set(details) == DETAILS
    rounds = details["by_round"]
    assert len(rounds) == 5 and rounds == sorted(rounds, reverse=True)
    assert rounds[0] == details["first_order_distance"] and rounds[-1] == details["radius"]


def test_a_ball_that_leaves_the_box_is_clipped_and_a_score_beyond_it_is_warned_about():
    box, x, model = Threat().box, np.full(12, 0.9, np.float32), linear()
    assert score(model, x, box=box, radius=0.5).details["clipped"] is True
    assert score(model, x, box=box, radius=0.05).details["clipped"] is False
    far = Linear(np.eye(2, 12), np.array([100.0, 0.0]))
    assert "beyond_box" in score(far, sample(), box=box).details["warnings"]


@pytest.mark.parametrize("classes", [2, 5, 30])
@pytest.mark.parametrize("climbers", [1, 5, 36])
def test_a_run_costs_what_it_declares_at_most(classes, climbers):
    finding = score(tiny(4, classes=classes), sample(2), climbers=climbers, steps=2)
    declared = minimum(SteepestParams(climbers=climbers, steps=2), Threat())
    assert finding.gradients <= declared.gradients
    assert finding.queries == declared.queries == 1


@pytest.mark.parametrize(
    "wrong", [{"radius": 0}, {"radius": "wide"}, {"radius": float("nan")}, {"climbers": 0}, {"steps": 0}], ids=str
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        SteepestParams(**wrong)
