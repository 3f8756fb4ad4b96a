"""Second-order CLEVER through the driver, on smooth models whose curvature and radius are known."""

from functools import partial

import numpy as np
import pytest
from pydantic import ValidationError

from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.registry import method
from algorithms.scores.clever_second_order.curvature import Curvature
from algorithms.scores.clever_second_order.params import SecondOrderParams
from algorithms.scores.clever_second_order.reading import crossing, reach
from algorithms.scores.clever_second_order.score import minimum
from algorithms.seam.case import Case
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Threat
from tests.scored import linear, sample, scored
from tests.truths import ClosedForm, Constant, Disc, Linear, Staircase, TinyReLU, TinyTanh

SECOND_ORDER = method("clever_second_order")
BESIDE_THE_SCORE = """
    status interval interval_level max_sample_score first_order_distance curvature_at_sample rival rivals_evaluated
    shape end_point max_curvature batches_used batch_size steps radius clipped warnings
"""
DETAILS = set(BESIDE_THE_SCORE.split())


score = partial(scored, SECOND_ORDER)


def around(x: np.ndarray, radius: float, rings: int = 60, ways: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Points of a disc in the plane, ring by ring, and their distances."""
    angles, away = np.linspace(0, 2 * np.pi, ways, endpoint=False), np.linspace(0, radius, rings)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return (x + away[:, None, None] * circle).reshape(-1, 2), np.repeat(away, ways)


def largest_curvature(model: ClosedForm, points: np.ndarray, label: int, rival: int) -> np.ndarray:
    hessians = model.hessian(points)
    return -np.linalg.eigvalsh(hessians[:, label] - hessians[:, rival])[:, 0]


# --- against closed forms and brute force ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_linear_models_score_is_its_radius(seed):
    model, x = linear(seed), sample(seed=seed)
    finding = score(model, x)
    assert finding.kind is Kind.ESTIMATE
    assert finding.value == pytest.approx(model.radius(x, finding.label, Norm.L2), rel=1e-5)
    assert (finding.details["status"], finding.details["max_curvature"]) == ("constant_curvature", 0)


def test_a_quadratic_models_score_is_its_radius():
    """From inside the disc: g falls by 2 |x| r + r^2 on the straight way out, which is just the bound's right side."""
    x = np.array([0.4, 0.3, 0.1], np.float32)
    finding = score(Disc(np.zeros(3), 1.0), x)
    assert finding.value == pytest.approx(1 - np.linalg.norm(x), rel=1e-5)
    assert finding.details["max_curvature"] == pytest.approx(2, rel=1e-5)
    assert finding.details["interval"] == pytest.approx([finding.value] * 2)


def test_where_the_gradient_is_zero_the_curvature_gives_the_scale():
    assert score(Disc(np.zeros(3), 0.7), np.zeros(3)).value == pytest.approx(0.7, rel=1e-5)


def test_a_margin_that_curves_upwards_has_the_first_order_distance():
    x = np.array([1.5, 0.2, 0.1], np.float32)
    finding = score(Disc(np.zeros(3), 1.0), x)
    assert finding.value == finding.details["first_order_distance"] < np.linalg.norm(x) - 1
    assert finding.details["curvature_at_sample"] == pytest.approx(-2, rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_score_is_what_the_largest_curvature_of_the_ball_gives(seed):
    """By brute force: 14,400 points of the ball, their Hessians' eigenvalues, the formula."""
    model, x = TinyTanh(seed), sample(2, seed)
    finding = score(model, x)
    details, rival = finding.details, finding.details["rival"]
    points, _ = around(x, details["radius"])
    exact = max(0.0, largest_curvature(model, points, finding.label, rival).max())
    assert 0.95 * exact <= details["max_curvature"] <= exact * (1 + 1e-3)
    assert details["end_point"] <= 1.2 * exact
    logits, jacobian = model.logits(x[None].astype(float))[0], model.jacobian(x[None].astype(float))[0]
    margin, slope = logits[finding.label] - logits[rival], np.linalg.norm(jacobian[finding.label] - jacobian[rival])
    assert finding.value == pytest.approx(float(reach(margin, slope, details["end_point"])), rel=1e-4)
    assert details["max_sample_score"] >= finding.value


@pytest.mark.parametrize("seed", range(12))
def test_no_score_of_these_smooth_models_lies_above_the_radius(seed):
    model, x = TinyTanh(seed), sample(2, seed)
    finding = score(model, x, batches=20, batch_size=16)
    points, away = around(x, 1.001 * finding.value)
    labels = model.logits(points).argmax(axis=1)
    assert away[labels != finding.label].min(initial=np.inf) >= finding.value


def test_a_score_does_not_depend_much_on_the_seed():
    model, x = TinyTanh(3, d=8, hidden=20), sample(8)
    scores = np.array([score(model, x, seed=seed).value for seed in range(5)])
    assert scores.std() <= 0.05 * scores.mean()


# --- Lanczos --------------------------------------------------------------------------------------------------------


class Fixed(ClosedForm):
    """One margin with this Hessian everywhere."""

    def __init__(self, H: np.ndarray) -> None:
        super().__init__((len(H),), 2)
        self.H = H

    def logits(self, x):
        return np.zeros((len(x), 2))

    def jacobian(self, x):
        return np.zeros((len(x), 2, x.shape[1]))

    def hessian(self, x):
        return np.broadcast_to(np.stack([self.H, 0 * self.H]), (len(x), 2, *self.H.shape))


def found(H: np.ndarray, steps: int, points: int = 5) -> np.ndarray:
    x = np.zeros(len(H), np.float32)
    case = Case(x, 0, None, np.array([1.0, 0.0], np.float32), 2, Stream(0, 0, "clever_second_order"))
    talk, model = Curvature(case, steps).downward(np.zeros((points, len(H)), np.float32), np.array([1])), Fixed(H)
    try:
        asked = next(talk)
        while True:
            asked = talk.send(model.hessian_products(asked.rows, asked.directions, asked.labels, asked.rivals))
    except StopIteration as stop:
        return stop.value[:, 0]


@pytest.mark.parametrize(
    "eigenvalues",
    [np.linspace(-3, 5, 7), np.array([-2.0, 4, 4, 4, 4]), np.array([1.0, 2, 3]), np.zeros(4), np.full(3, -2.0), [-1.5]],
    ids=["spread", "one below", "all above", "flat", "all alike", "one feature"],
)
def test_as_many_steps_as_features_find_the_least_eigenvalue(eigenvalues):
    rng = np.random.default_rng(0)
    Q, _ = np.linalg.qr(rng.normal(size=(len(eigenvalues),) * 2))
    np.testing.assert_allclose(found(Q @ np.diag(eigenvalues) @ Q.T, 12), -np.min(eigenvalues), rtol=1e-5, atol=1e-6)


def test_few_steps_are_never_beyond_it_and_more_come_nearer():
    rng = np.random.default_rng(1)
    H = rng.normal(size=(60, 60))
    exact = -np.linalg.eigvalsh(H + H.T)[0]
    few, more, many = (found(H + H.T, steps) for steps in (2, 8, 25))
    assert (few < more).all() and (more < many).all() and (many <= exact * (1 + 1e-6)).all()
    assert (many >= 0.99 * exact).all() and (more >= 0.75 * exact).all()


# --- the formula ----------------------------------------------------------------------------------------------------


def test_the_distance_is_the_root_of_the_quadratic_and_loses_no_digits():
    assert reach(3.0, 1.0, 4.0) == pytest.approx((-1 + 5) / 4)
    assert reach(3.0, 2.0, 0.0) == reach(3.0, 2.0, -7.0) == 1.5
    assert reach(3.0, 2.0, 1e-14) == pytest.approx(1.5, rel=1e-12)
    assert np.isinf(reach(3.0, 0.0, 0.0))


def test_points_show_the_largest_radius_that_their_curvature_allows():
    """Distances shown: 2 by the sample alone; reach(2, 1, 1) beyond 1.5; less beyond 3."""
    assert crossing(2.0, 1.0, 0.0, np.array([3.0, 1.5]), np.array([50.0, 1.0])) == pytest.approx(
        float(max(1.5, reach(2.0, 1.0, 1.0)))
    )
    assert crossing(2.0, 1.0, 0.0, np.array([1.9]), np.array([0.5])) == pytest.approx(1.9)


# --- models that have no second derivative, or tell nothing ---------------------------------------------------------


class Poisoned(Disc):
    """NaN second derivatives wherever the first feature is above a limit."""

    limit = 0.0

    def hessian(self, x):
        return np.where(x[:, :1, None, None] > self.limit, np.nan, super().hessian(x))


@pytest.mark.parametrize(
    ("model", "operator"),
    [
        (TinyReLU(np.eye(12), np.zeros(12), np.eye(3, 12), np.zeros(3)), "Relu"),
        (Staircase(linear(), 0.01), "Round"),
    ],
    ids=["relu", "staircase"],
)
def test_a_model_with_kinks_is_abstained_from_with_the_operator_and_costs_nothing_more(model, operator):
    finding = score(model, sample())
    assert (finding.kind, finding.value, finding.queries, finding.gradients) == (Kind.ABSTAINED, None, 1, 0)
    assert finding.details == {"reason": "not_smooth", "operators": [operator]}


@pytest.mark.parametrize("radius", ["auto", 0.5])
def test_a_masked_gradient_is_no_good_score(radius):
    finding = score(Constant(np.array([2.0, 1.0, 0.0]), (12,)), sample(), radius=radius)
    assert (finding.kind, finding.value, finding.details["reason"]) == (Kind.ABSTAINED, None, "gradient_masked")


@pytest.mark.parametrize("limit", [-1.0, 0.35], ids=["at the sample", "nearby"])
@pytest.mark.parametrize("radius", ["auto", 0.5])
def test_a_curvature_that_is_not_finite_ends_in_abstention(limit, radius):
    model = Poisoned(np.zeros(3), 1.0)
    model.limit = limit
    finding = score(model, np.array([0.3, 0.2, 0.1]), radius=radius)
    assert (finding.kind, finding.details["reason"]) == (Kind.ABSTAINED, "gradient_not_finite")


def test_a_sample_on_the_boundary_scores_zero():
    finding = score(Linear(np.eye(3, 12), np.zeros(3)), np.full(12, 0.5, np.float32))
    assert (finding.kind, finding.value) == (Kind.ESTIMATE, 0.0)
    assert set(finding.details) == DETAILS


# --- what is said beside the score, and what it costs ---------------------------------------------------------------


def test_every_detail_of_the_contract_is_there():
    details = score(TinyTanh(0), sample(2)).details
    assert set(details) == DETAILS
    assert details["interval"][0] <= details["max_sample_score"]


def test_a_target_is_the_only_rival():
    model, x = linear(), sample()
    label = int(model.labels(x[None])[0])
    for target in (t for t in range(5) if t != label):
        finding = score(model, x, targets=np.array([target]))
        assert finding.value == pytest.approx(model.radius(x, label, Norm.L2, target), rel=1e-5)
        assert (finding.details["rival"], finding.details["rivals_evaluated"]) == (target, 1)


def test_a_given_radius_caps_the_score():
    model, x = Disc(np.zeros(3), 1.0), np.array([0.4, 0.0, 0.0], np.float32)
    short, wide = score(model, x, radius=0.3), score(model, x, radius=1.2)
    assert (short.value, short.details["status"]) == (0.3, "censored_at_radius")
    assert wide.value == pytest.approx(0.6, rel=1e-5)


def test_few_batches_and_a_score_beyond_the_box_are_warned_about():
    far = Linear(np.eye(2, 12), np.array([100.0, 0.0]))
    finding = score(far, sample(), box=Threat().box, batches=3, batch_size=4)
    assert finding.details["warnings"] == ["few_batches", "beyond_box"]
    assert finding.details["clipped"] is True


@pytest.mark.parametrize("classes", [2, 5])
def test_a_run_costs_at_least_what_it_declares_and_just_that_with_one_rival(classes):
    params = SecondOrderParams(batches=3, batch_size=70, steps=2)
    finding = score(TinyTanh(4, d=3, classes=classes), sample(3), batches=3, batch_size=70, steps=2)
    declared = minimum(params, Threat())
    assert finding.queries == declared.queries == 1
    assert finding.gradients >= declared.gradients and (classes > 2 or finding.gradients == declared.gradients)


@pytest.mark.parametrize("wrong", [{"radius": 0}, {"radius": "wide"}, {"steps": 0}, {"batches": 0}, {"rivals": 0}])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValidationError):
        SecondOrderParams(**wrong)
