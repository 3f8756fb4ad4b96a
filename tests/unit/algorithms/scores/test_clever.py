"""CLEVER through the driver, on models whose answer is known in closed form or by enumeration."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from algorithms.driver.running import Samples, run
from algorithms.mathematics.geometry import inner_radius
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.mathematics.streams import Stream
from algorithms.method import Budget, Method
from algorithms.registry import method, version
from algorithms.scores.clever.neighborhood import AT_ONCE, Neighborhood
from algorithms.scores.clever.params import PRESETS, CleverParams
from algorithms.scores.clever.score import minimum
from algorithms.seam.case import Case
from algorithms.seam.claims import Finding, Kind
from algorithms.seam.questions.gradient_norms import AskGradientNorms, Ball, Differences
from algorithms.threats.threat import Box, Threat
from tests.regions import largest_slope
from tests.scored import UNBOUNDED, linear, sample, scored, tiny
from tests.truths import ClosedForm, Constant, Disc, Linear, Staircase, TinyReLU

CLEVER, FIRST = method("clever"), version("clever@1")
BESIDE_THE_SCORE = """
    status interval interval_level max_sample_score first_order_distance rival rivals_evaluated shape ks_p end_point
    max_gradient_norm batches_used batch_size radius ball sampling clipped warnings by_norm
"""
DETAILS = set(BESIDE_THE_SCORE.split())


def score(model: ClosedForm, x: np.ndarray, norm: Norm = Norm.L2, *, row: Method = CLEVER, **params: Any) -> Finding:
    return scored(row, model, x, norm, **{"batches": 20, "batch_size": 32} | params)


# --- linear models: the score is the radius -------------------------------------------------------------------------


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("ball", ["own", "l2"])
@pytest.mark.parametrize("sampling", ["radial", "uniform"])
@pytest.mark.parametrize("seed", range(3))
def test_a_linear_models_score_is_its_radius(norm, ball, sampling, seed):
    model, x = linear(seed), sample(seed=seed)
    finding = score(model, x, norm, ball=ball, sampling=sampling)
    slope = np.abs(model.weights).sum(axis=1).max()
    assert finding.details["status"] == "degenerate"
    assert finding.value == pytest.approx(model.radius(x, finding.label, norm), abs=1e-6 * slope)
    assert finding.value == finding.details["max_sample_score"] == finding.details["interval"][0]
    assert finding.details["warnings"] == []


@pytest.mark.parametrize("norm", NORMS)
def test_a_target_is_the_only_rival(norm):
    model, x = linear(), sample()
    label = int(model.labels(x[None])[0])
    for target in (t for t in range(5) if t != label):
        finding = score(model, x, norm, targets=np.array([target]))
        assert finding.value == pytest.approx(model.radius(x, label, norm, target), rel=1e-5)
        assert (finding.details["rival"], finding.details["rivals_evaluated"]) == (target, 1)


@pytest.mark.parametrize("shape", [(1,), (3, 2, 2)])
def test_any_shape_and_two_classes_will_do(shape):
    d = int(np.prod(shape))
    model = Linear(np.random.default_rng(2).normal(size=(2, d)), np.zeros(2), shape)
    x = sample(d).reshape(shape)
    finding = score(model, x)
    assert finding.value == pytest.approx(model.radius(x, finding.label, Norm.L2), rel=1e-5)
    assert finding.details["rival"] == 1 - finding.label


def test_a_given_radius_caps_the_score():
    model, x = linear(), sample()
    truth = model.radius(x, int(model.labels(x[None])[0]), Norm.L2)
    short, wide = score(model, x, radius=truth / 2), score(model, x, radius=truth * 2)
    assert (short.value, short.details["status"]) == (truth / 2, "censored_at_radius")
    assert wide.value == pytest.approx(truth, rel=1e-5)


def test_a_norm_read_from_another_norms_ball_is_capped_by_the_largest_ball_inside():
    finding = score(linear(), sample(), Norm.L2, radius=0.01)
    by_norm = finding.details["by_norm"]
    assert {norm: by_norm[norm]["value"] for norm in NORMS} == {
        norm: inner_radius(norm, Norm.L2, 0.01, 12) for norm in NORMS
    }
    assert by_norm["l2"] == {"value": finding.value, "status": finding.details["status"]}


def test_the_nearest_rivals_are_those_with_the_highest_logits():
    model, x = linear(classes=8), sample()
    finding = score(model, x, rivals=2)
    order = np.argsort(-model.logits(x[None].astype(float))[0])
    best = min(model.radius(x, int(order[0]), Norm.L2, int(order[k])) for k in (1, 2))
    assert finding.value == pytest.approx(best, rel=1e-5)
    assert finding.details["rivals_evaluated"] == 2


# --- nets with known largest slopes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("seed", range(3))
def test_the_end_point_is_near_the_exact_lipschitz_constant_of_a_small_net(norm, seed):
    """Within 5 %, unless the steepest region has less than about one point in 6400: these seeds have none."""
    net, x = tiny(seed, d=2 + seed % 2), sample(2 + seed % 2)
    details = score(net, x, norm, batches=50, batch_size=128, rivals=1).details
    label = int(net.labels(x[None])[0])
    exact = largest_slope(net, x.astype(float), details["radius"], norm, label, details["rival"], norm)
    assert details["max_gradient_norm"] <= exact * (1 + 1e-6)
    assert details["end_point"] == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("norm", NORMS)
def test_the_plain_maximum_never_scores_below_what_is_certain(norm):
    for seed in range(4):
        net, x = tiny(seed), sample(2)
        details = score(net, x, norm, radius=0.3).details
        f = net.logits(x[None].astype(float))[0]
        label = int(f.argmax())
        certain = min(
            (f[label] - f[j]) / largest_slope(net, x.astype(float), 0.3, norm, label, j, norm)
            for j in range(3)
            if j != label
        )
        assert details["max_sample_score"] >= min(certain, 0.3) * (1 - 1e-6)


def test_the_automatic_radius_finds_the_largest_distance_that_a_ball_can_show():
    """For the disc L(R) = 2 (|x| + R): margin / L(R) = R has a root, which the best ball's score cannot pass."""
    x = np.array([0.6, 0.3, 0.1], np.float32)
    away, margin = np.linalg.norm(x), 1 - np.linalg.norm(x) ** 2
    best = (np.sqrt(away**2 + 2 * margin) - away) / 2
    finding = score(Disc(np.zeros(3), 1.0), x, batches=50, batch_size=128)
    assert 0.93 * best <= finding.value <= 1.01 * best
    assert finding.value <= 1 - away
    assert finding.details["status"] == "ok"
    assert finding.value < finding.details["radius"] <= 1.2 * best


# --- laws of scale and order ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", NORMS)
def test_scaling_the_logits_or_shifting_them_all_changes_nothing(norm):
    net, x = tiny(4), sample(2)
    plain = score(net, x, norm).value
    assert score(TinyReLU(net.W, net.a, 8 * net.V, 8 * net.b), x, norm).value == pytest.approx(plain, rel=1e-6)
    assert score(TinyReLU(net.W, net.a, net.V, net.b + 1), x, norm).value == pytest.approx(plain, rel=1e-5)


@pytest.mark.parametrize("norm", NORMS)
def test_scaling_the_inputs_scales_the_score(norm):
    net, x = tiny(5), sample(2)
    shrunk = TinyReLU(4 * net.W, net.a, net.V, net.b)
    assert score(shrunk, x / 4, norm).value == pytest.approx(score(net, x, norm).value / 4, rel=1e-6)


def test_the_order_of_the_classes_does_not_matter():
    net, x, order = tiny(6, classes=4), sample(2), np.array([2, 0, 3, 1])
    plain = score(net, x).details
    permuted = score(TinyReLU(net.W, net.a, net.V[order], net.b[order]), x).details
    assert order[permuted["rival"]] == plain["rival"]
    assert permuted["end_point"] == plain["end_point"]


def test_a_target_alone_scores_what_it_does_in_company():
    """Untargeted is the minimum over targets: the radius given, all rivals share the same points."""
    net, x = tiny(7, classes=4), sample(2)
    together = score(net, x, radius=0.2)
    alone = [score(net, x, radius=0.2, targets=np.array([t])).value for t in range(4) if t != together.label]
    assert together.value == min(alone)


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_points():
    net, x = tiny(4), sample(2)
    assert score(net, x, seed=1).model_dump_json() == score(net, x, seed=1).model_dump_json()
    disc, x = Disc(np.zeros(3), 1.0), np.array([0.6, 0.3, 0.1])
    assert score(disc, x, seed=1).value != score(disc, x, seed=2).value


# --- models that tell nothing ---------------------------------------------------------------------------------------


class Poisoned(Linear):
    """NaN gradients wherever the first feature is above a limit."""

    limit = 0.0

    def jacobian(self, x):
        return np.where(x[:, :1, None] > self.limit, np.nan, super().jacobian(x))


@pytest.mark.parametrize("radius", ["auto", 0.5])
@pytest.mark.parametrize(
    "model", [Staircase(linear(), 0.01), Constant(np.array([2.0, 1.0, 0.0]), (12,))], ids=["staircase", "constant"]
)
def test_a_masked_gradient_is_no_good_score(model, radius):
    finding = score(model, sample(), radius=radius)
    assert (finding.kind, finding.value, finding.details["reason"]) == (Kind.ABSTAINED, None, "gradient_masked")


class Hidden(Linear):
    """A linear model with a part whose gradient is lost: behind a rounding, or cancelled in the backward pass alone."""

    def __init__(self, shown: Linear, lost: np.ndarray, step: float) -> None:
        super().__init__(shown.weights, shown.bias)
        self.lost, self.step = lost, step

    def logits(self, x):
        steps = x if not self.step else self.step * np.round(x / self.step)
        return super().logits(x) + (steps[:, None, :] * self.lost).sum(axis=2)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("radius", ["auto", 0.5])
@pytest.mark.parametrize("step", [0.0, 0.01, 0.1], ids=["cancelled", "fine", "coarse"])
@pytest.mark.parametrize("share", [0.1, 1.0, 10.0])
def test_a_constant_gradient_that_does_not_tell_how_the_scores_move_is_masked(norm, radius, step, share):
    model = Hidden(linear(), share * np.random.default_rng(5).normal(size=(5, 12)), step)
    finding = score(model, sample(), norm, radius=radius)
    assert (finding.kind, finding.value, finding.details["reason"]) == (Kind.ABSTAINED, None, "gradient_masked")
    assert finding.details["unexplained"] > 1e-3
    assert finding.gradients <= minimum(CleverParams(batches=20, batch_size=32, radius=radius), Threat()).gradients


def test_what_one_rival_hides_is_seen_though_another_is_nearer():
    model, x = linear(), sample()
    label = int(model.labels(x[None])[0])
    near = score(model, x, radius=0.5).details["rival"]
    ranked = [j for j in np.argsort(-model.scores(x[None])[0]) if j not in (label, near)]
    lost = np.zeros((5, 12))
    lost[ranked[0], 0] = 1.0
    assert score(Hidden(model, lost, 0.05), x, radius=0.5).kind is Kind.ABSTAINED


class Cone(Disc):
    """A disc whose score falls evenly: its gradient turns from point to point, and is of one length everywhere."""

    def logits(self, x):
        inside = self.rim - np.linalg.norm(x - self.center, axis=1)
        return np.stack([inside, np.zeros_like(inside)], axis=1)

    def jacobian(self, x):
        away = x - self.center
        inside = -away / np.linalg.norm(away, axis=1, keepdims=True)
        return np.stack([inside, np.zeros_like(inside)], axis=1)


def test_a_gradient_that_turns_and_keeps_its_length_is_neither_linear_nor_masked():
    x = np.array([0.6, 0.3, 0.1], np.float32)
    finding = score(Cone(np.zeros(3), 1.0), x)
    assert finding.value == pytest.approx(1 - np.linalg.norm(x), rel=1e-5)
    assert finding.details["status"] == finding.details["by_norm"]["l2"]["status"] == "ok"


@pytest.mark.parametrize("limit", [-1.0, 0.6], ids=["at the sample", "nearby"])
@pytest.mark.parametrize("radius", ["auto", 0.5])
def test_a_gradient_that_is_not_finite_ends_in_abstention(limit, radius):
    model = Poisoned(linear().weights, linear().bias)
    model.limit = limit
    x = sample()
    x[0] = 0.5999
    finding = score(model, x, radius=radius)
    assert (finding.kind, finding.details["reason"]) == (Kind.ABSTAINED, "gradient_not_finite")
    assert finding.gradients < minimum(CleverParams(batches=20, batch_size=32, radius=radius), Threat()).gradients


def test_a_rival_without_gradient_is_left_to_the_others_and_warned_about():
    weights, x = linear().weights.copy(), sample()
    label = int(linear().labels(x[None])[0])
    parallel = (label + 1) % 5
    weights[parallel] = weights[label]  # their difference is constant: no gradient at all
    bias = linear().bias.copy()
    bias[parallel] = linear().bias[label] - 0.001
    finding = score(Linear(weights, bias), x)
    assert finding.kind is Kind.ESTIMATE
    assert finding.details["rival"] != parallel
    assert "gradient_partly_masked" in finding.details["warnings"]


def test_a_sample_on_the_boundary_scores_zero():
    model = Linear(np.eye(3, 12), np.zeros(3))
    x = np.full(12, 0.5, np.float32)
    finding = score(model, x)
    assert (finding.kind, finding.value) == (Kind.ESTIMATE, 0.0)
    assert set(finding.details) == DETAILS
    assert finding.gradients == 1


# --- what is said beside the score ----------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", NORMS)
def test_every_detail_of_the_contract_is_there(norm):
    finding = score(tiny(4), sample(2), norm)
    details = finding.details
    assert set(details) == DETAILS
    assert set(details["by_norm"]) == set(NORMS)
    low, high = details["interval"]
    assert low <= finding.value <= high
    assert finding.value <= details["max_sample_score"] <= details["radius"]
    assert details["end_point"] >= details["max_gradient_norm"]
    assert (details["batches_used"], details["batch_size"], details["ball"]) == (20, 32, norm)


def test_a_ball_that_leaves_the_box_is_clipped_and_says_so():
    box = Box(np.zeros((), np.float32), np.ones((), np.float32))
    x = np.full(12, 0.9, np.float32)
    model = linear()
    assert score(model, x, box=box, radius=0.5).details["clipped"] is True
    assert score(model, x, box=box, radius=0.05).details["clipped"] is False
    assert score(model, x, radius=0.5).details["clipped"] is False


def test_a_score_no_input_can_reach_is_warned_about():
    box = Box(np.zeros((), np.float32), np.ones((), np.float32))
    far = Linear(np.eye(2, 12), np.array([100.0, 0.0]))
    assert "beyond_box" in score(far, sample(), box=box).details["warnings"]


def test_few_batches_are_warned_about():
    assert "few_batches" in score(tiny(4), sample(2), batches=5).details["warnings"]


def test_a_run_costs_what_it_declares_at_most():
    model, x = tiny(4), sample(2)
    for radius in ("auto", 0.2):
        finding = score(model, x, radius=radius)
        declared = minimum(CleverParams(batches=20, batch_size=32, radius=radius), Threat())
        assert finding.gradients <= declared.gradients
        assert finding.queries == declared.queries == 1
    assert finding.gradients == 1 + 20 * 32 + 2 * 17  # a given radius needs no walk; equal maxima are looked into


def test_a_run_cut_short_by_its_budget_claims_nothing():
    samples = Samples(sample()[None], (0,), None)
    [outcome] = run(linear(), samples, CLEVER, CleverParams(), Threat(), Budget(None, gradients=900), seed=0)
    assert (outcome.finding.kind, outcome.finding.value, outcome.finding.ended) == (Kind.ABSTAINED, None, "budget")


# --- the first version, for released recipes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "value", "shape", "end_point"),
    [
        (Norm.L1, 0.29948548613191056, 2.4251324228352225, 1.803092259419812),
        (Norm.L2, 0.2813583761103706, 1.2544273254383642, 1.9192603018194754),
        (Norm.LINF, 0.11521286172812396, 50.0, 4.686976382266278),
    ],
)
def test_the_first_version_stays_as_it_was(norm, value, shape, end_point):
    """Written down when it was the only one."""
    finding = score(Disc(np.zeros(3), 1.0), np.array([0.6, 0.3, 0.1]), norm, row=FIRST)
    told = (finding.value, finding.details["shape"], finding.details["end_point"])
    assert told == pytest.approx((value, shape, end_point), rel=1e-9)
    assert finding.value != score(Disc(np.zeros(3), 1.0), np.array([0.6, 0.3, 0.1]), norm).value
    assert set(finding.details) == DETAILS


def test_the_first_version_takes_equal_maxima_at_their_word():
    model = Hidden(linear(), np.ones((5, 12)) * np.arange(5)[:, None], 0.01)
    finding = score(model, sample(), row=FIRST)
    assert finding.details["status"] == "degenerate"
    assert finding.gradients <= FIRST.minimum(CleverParams(batches=20, batch_size=32), Threat()).gradients


# --- questions of bounded length -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("classes", "n"), [(2, 3000), (10, 600), (100, 150)])
def test_a_question_is_asked_in_parts_that_give_the_same_bits_and_cost_each_point_once(classes, n):
    model, x = linear(classes=classes), sample()
    scores = model.scores(x[None])[0]
    case = Case(x, int(scores.argmax()), None, scores, classes, Stream(7, 3, "clever"))
    near = Neighborhood.of(case, Threat(box=UNBOUNDED), ball=Norm.L2, sampling="radial", most=None)
    asked: list[AskGradientNorms] = []
    met = answered(near.largest_norms(0.5, n, 6), model, asked)
    whole = Ball(x, 0.5, Threat(Norm.L2, UNBOUNDED), "radial", n, case.stream, 6)
    (expected,) = model.largest_gradient_norms([Differences(whole, case.label, near.rivals)])
    np.testing.assert_array_equal(met, expected)
    assert max(part.ball.n * len(part.rivals) for part in asked) <= AT_ONCE
    assert sum(part.ball.n for part in asked if not part.is_paid) == n


def answered(talk, model: ClosedForm, asked: list[AskGradientNorms]) -> np.ndarray:
    """What the conversation returns; its questions are noted."""
    answer = None
    try:
        while True:
            asked.append(part := talk.send(answer))
            (answer,) = model.largest_gradient_norms([part.differences])
    except StopIteration as end:
        return end.value


def test_a_cancel_is_noticed_between_the_parts_of_a_batch():
    model, x = linear(classes=100), sample()
    looks = iter(range(10**6))
    [outcome] = run(
        model,
        Samples(x[None], (0,), None),
        CLEVER,
        CleverParams(batches=1, batch_size=65_536, radius=0.5),
        Threat(),
        Budget(None),
        seed=0,
        checkpoint=lambda _: "cancelled" if next(looks) == 5 else None,
    )
    assert (outcome.finding.ended, outcome.finding.gradients) == ("cancelled", 1 + 64)


@pytest.mark.parametrize(("shape", "together"), [((6,), [3, 3, 3]), ((2**17,), [3] + [1] * 6)])
def test_samples_put_their_questions_together_up_to_the_size_of_a_beat(shape, together):
    class Counting(Linear):
        def largest_gradient_norms(self, asked):
            sizes.append(len(asked))
            return super().largest_gradient_norms(asked)

    rng, sizes = np.random.default_rng(1), []
    model = Counting(rng.normal(size=(2, np.prod(shape))), np.zeros(2), shape)
    x = rng.random((3, *shape), dtype=np.float32)
    settings = CleverParams(batches=2, batch_size=64, radius=0.5)
    run(model, Samples(x, (0, 1, 2), None), CLEVER, settings, Threat(), Budget(None), seed=0)
    assert sizes == together  # the gradient at the sample, and two batches of 64 points: there 32 MiB a sample


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_its_numbers_and_any_of_them_can_be_given(preset):
    params = CleverParams(preset=preset)
    assert {key: getattr(params, key) for key in PRESETS[preset]} == PRESETS[preset]
    assert CleverParams(preset=preset, batch_size=77).batch_size == 77
    assert CleverParams(preset=preset, batch_size=77).batches == params.batches
    assert CleverParams.model_validate(params.model_dump()) == params


def test_the_default_is_the_quick_preset():
    assert CleverParams() == CleverParams(preset="quick")


@pytest.mark.parametrize(
    "wrong",
    [
        {"preset": "best"},
        {"radius": 0},
        {"radius": -1.0},
        {"radius": "wide"},
        {"radius": float("nan")},
        {"radius": float("inf")},
        {"batches": 0},
        {"batch_size": 0},
        {"rivals": 0},
        {"rivals": "some"},
        {"sampling": "sphere"},
        {"ball": "linf"},
        {"n_batches": 10},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        CleverParams(**wrong)
