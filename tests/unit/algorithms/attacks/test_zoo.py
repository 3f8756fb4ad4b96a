"""ZOO against closed forms, and against what its description promises."""

import numpy as np
import pytest
from pydantic import ValidationError

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Disc, Linear, Staircase

ZOO = method("zoo")
UNBOUNDED = Box.unbounded()
SCALED = [(1.0, 1.0, 4), (1e-3, 1.0, 4), (50.0, 1e3, 10), (1.0, 1.0, 2)]  # features, scores, classes
CLOSELY = {
    "newton": {"optimizer": "newton"},
    "adam": {"optimizer": "adam", "learning_rate": 0.5, "steps": 80},
    "tanh": {"optimizer": "adam", "steps": 150, "variables": "tanh"},
}
closely = pytest.mark.parametrize("params", CLOSELY.values(), ids=CLOSELY.keys())
SHAPES = [(3, 6, 6), (6, 6, 3), (1, 6, 6), (40,), (2,), (1,), (3, 2, 2), (2, 3, 4, 5)]


def linear(seed: int, *, features=1.0, scores=1.0, classes=4, shape=(20,)) -> Linear:
    rng = np.random.default_rng(seed)
    weights = scores * rng.normal(size=(classes, int(np.prod(shape))))
    return Linear(weights, scores * features * 0.1 * rng.normal(size=classes), shape=shape)


def samples(shape=(20,), n: int = 2, features: float = 1.0) -> Samples:
    x = features * np.random.default_rng(1).uniform(0.2, 0.8, (n, *shape))
    return Samples(x.astype(np.float32), tuple(range(n)), labels=None)


def attack(model, what, box=None, budget=Budget(None), threat=None, **params):
    threat = threat or Threat(Norm.L2, UNBOUNDED if box is None else box)
    return run(model, what, ZOO, ZOO.params.model_validate({"name": "zoo", **params}), threat, budget, seed=0)


@pytest.mark.parametrize(
    ("optimizer", "features", "scores", "classes"), [*(("newton", *scale) for scale in SCALED), ("adam", *SCALED[1])]
)
def test_on_a_linear_model_of_any_scale_the_distance_is_near_the_closed_form_and_never_below(
    optimizer, features, scores, classes
):
    model, what = linear(0, features=features, scores=scores, classes=classes), samples(features=features)
    for outcome, x in zip(attack(model, what, **CLOSELY[optimizer]), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, Norm.L2)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


def test_as_published_it_comes_to_the_closed_form_in_a_box():
    model, what = linear(0, classes=2), samples()
    box = Box(np.float32(-1), np.float32(2))
    given = {"steps": 150, "learning_rate": 0.02, "last_rate": 0.1, "constant": 0.1, "search_steps": 6, "looks": 0}
    for outcome, x in zip(attack(model, what, box, preset="paper", **given), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, Norm.L2)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


@closely
def test_the_nearest_point_of_a_curved_boundary_is_found(params):
    model = Disc(np.array([0.5, 0.5, 0.5]), 0.3)
    what = Samples(np.float32([[0.6, 0.45, 0.5], [0.5, 0.7, 0.5]]), (0, 1), labels=None)
    for outcome, x in zip(attack(model, what, Threat().box, **params), what.x, strict=True):
        true = 0.3 - np.linalg.norm(x - 0.5)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


@closely
def test_features_at_the_ends_of_their_sides_are_moved(params):
    """Two of three features lie at an end of the box, and the boundary is nearest along them."""
    model = Linear(np.array([[0.0, 0.0, 0.0], [3.0, -2.0, 0.1]]), np.array([0.2, 0.0]))
    what = Samples(np.float32([[0.0, 1.0, 0.5]]), (0,), labels=None)
    (outcome,) = attack(model, what, Threat().box, **params)
    true = model.radius(what.x[0], 0, Norm.L2)
    assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


def test_the_target_is_reached_by_the_nearest_point_of_its_region():
    """Two rivals, a target behind the other: the nearest point is where both boundaries meet."""
    model = Linear(np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 1.0]]), np.array([1.0, 0.0, 0.0]))
    what = Samples(np.float32([[0.0, 0.0]]), (0,), labels=None, targets=np.array([2]))
    (outcome,) = attack(model, what, threat=Threat(Norm.L2, UNBOUNDED, targeted="given"), search_steps=9)
    assert outcome.finding.value == pytest.approx(np.hypot(0.25, 0.75), rel=0.01)  # x + y >= 1, y >= 3 x


class Bowls(ClosedForm):
    """Two classes, 0 everywhere: f(x) = (5 + sum_i a_i (x_i - b_i)^2, 0), a separable quadratic."""

    def __init__(self) -> None:
        super().__init__((4,), 2)
        self.a, self.b = np.array([3.0, 1.0, 0.5, 2.0]), np.array([0.1, 0.9, 0.7, 0.2])

    def logits(self, x):
        bowls = 5 + (self.a * (x - self.b) ** 2).sum(axis=1)
        return np.stack([bowls, np.zeros(len(x))], axis=1)

    def jacobian(self, x):
        raise NotImplementedError


def test_newton_reaches_the_bottom_of_a_separable_quadratic_in_one_pass():
    model, what = Bowls(), Samples(np.float32([[0.5, 0.5, 0.5, 0.5]]), (0,), labels=None)
    attack(model, what, Threat().box, units="box", learning_rate=1.0, last_rate=1.0, constant=1.0, steps=2, looks=0)
    clean, first, second, *_ = model.queried
    assert (len(clean), len(first), len(second)) == (1, 2 * 4, 1 + 2 * 4)
    bottom = (what.x[0] + model.a * model.b) / (1 + model.a)  # of ||x - x0||^2 + c f, c = 1
    np.testing.assert_allclose(second[0], bottom, atol=2e-3)  # curvatures of float32 scores are a little off


@pytest.mark.parametrize("optimizer", ["newton", "adam"])
def test_a_step_costs_two_rows_a_coordinate_and_one_for_the_point(optimizer):
    """The first step's point is the sample, about which the driver has asked already."""
    model, what = linear(0), samples()
    params = {"coordinates": 6, "steps": 7, "search_steps": 3, "looks": 0, "optimizer": optimizer}
    outcomes = attack(model, what, **params)
    assert {o.finding.queries for o in outcomes} == {1 + 3 * (7 * (2 * 6 + 1) - 1) + 1}
    assert all(o.finding.kind is Kind.UPPER_BOUND for o in outcomes)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("grids", [{}, {"grids": [2, 4], "grow_at": [6]}], ids=["features", "grids"])
def test_samples_of_any_shape_are_broken(shape, grids):
    model, what = linear(2, classes=3, shape=shape), samples(shape, n=2)
    for outcome in attack(model, what, steps=30, coordinates=24, **grids):
        assert outcome.finding.kind is Kind.UPPER_BOUND


def test_a_grid_moves_points_within_the_images_that_it_can_make():
    """On 3 x 3 points, both ends aligned, every second row and column of 5 x 5 is the mean of those beside it."""
    model, what = linear(3, classes=3, shape=(1, 5, 5)), samples((1, 5, 5))
    for outcome, x in zip(attack(model, what, grids=[3]), what.x, strict=True):
        (image,) = outcome.x_adv.astype(np.float64) - x
        np.testing.assert_allclose(image[1::2], (image[:-1:2] + image[2::2]) / 2, atol=1e-5)
        np.testing.assert_allclose(image[:, 1::2], (image[:, :-1:2] + image[:, 2::2]) / 2, atol=1e-5)


def test_a_finer_grid_goes_on_where_the_coarse_one_ended():
    """Its first point is offset by what the coarse grid makes; then it leaves what that can make."""
    model, what = linear(3, classes=3, shape=(1, 5, 5)), samples((1, 5, 5), n=1)
    attack(model, what, grids=[3, 5], grow_at=[4], steps=8, search_steps=1, coordinates=25, looks=0)
    offsets = [asked[0].astype(np.float64)[0] - what.x[0, 0] for asked in model.queried[2:-1]]  # the first step asks no
    bends = [np.abs(image[1::2] - (image[:-1:2] + image[2::2]) / 2).max() for image in offsets]
    assert max(bends[:4]) < 1e-5 < 1e-3 < min(bends[4:])


def test_kappa_is_what_the_point_found_leads_by():
    model, what = linear(4, classes=3), samples()
    for outcome in attack(model, what, confidence=2.0):
        scores = model.scores(outcome.x_adv[None])[0]
        assert np.delete(scores, outcome.finding.label).max() - scores[outcome.finding.label] > 2.0


class Soft(Linear):
    """The same, told by probabilities."""

    gives_probabilities = True
    digits: int | None = None

    def logits(self, x):
        z = super().logits(x)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return p if self.digits is None else p.round(self.digits)


@pytest.mark.parametrize("scores", [1.0, 30.0], ids=["plain", "sure"])
def test_probabilities_lead_where_logits_do(scores):
    """The sure model gives its label 1 to the last bit, and the others less than float32's epsilon."""
    plain, what = linear(5, scores=scores), samples()
    soft = Soft(plain.weights, plain.bias)
    for ours, x in zip(attack(soft, what), what.x, strict=True):
        true = plain.radius(x, ours.finding.label, Norm.L2)
        assert true * (1 - 1e-5) <= ours.finding.value <= 1.01 * true


@pytest.mark.parametrize("digits", [3, 2])
def test_rounded_probabilities_are_told_of_and_looked_across(digits):
    plain, what = linear(5), samples()
    soft = Soft(plain.weights, plain.bias)
    soft.digits = digits
    for outcome, x in zip(attack(soft, what, difference=1e-4), what.x, strict=True):
        assert outcome.finding.details["warnings"] == ["plateau"]
        true = plain.radius(x, outcome.finding.label, Norm.L2)
        assert outcome.finding.value <= 1.5 * true


def begun(outcome) -> float:
    """How far the first point was that was found."""
    return outcome.finding.details["trace"][0][1]


def test_where_scores_are_flat_all_around_the_search_begins_at_the_boundary():
    """Rounded to two digits, the label has 1 and all others 0 at the samples, and a quarter of the box beside them."""
    plain, what = linear(5, scores=30.0, shape=(40,)), samples((40,))
    soft = Soft(plain.weights, plain.bias, shape=(40,))
    soft.digits = 2
    for outcome, x in zip(attack(soft, what, Threat().box), what.x, strict=True):
        assert outcome.finding.details["warnings"] == ["plateau"]
        assert plain.radius(x, outcome.finding.label, Norm.L2) < outcome.finding.value < 0.9 * begun(outcome)


def test_a_staircase_is_looked_across():
    plain, what = linear(6, classes=3), samples()
    model = Staircase(plain, step=0.05)
    for outcome, x in zip(attack(model, what, Box(np.float32(-2), np.float32(3))), what.x, strict=True):
        assert outcome.finding.value <= 1.2 * plain.radius(x, outcome.finding.label, Norm.L2)


@pytest.mark.parametrize(
    "given",
    [
        {"grow_at": [5]},
        {"grids": [2, 4]},
        {"grids": [2, 4], "grow_at": [5, 9]},
        {"grids": [2, 4, 8], "grow_at": [9, 5]},
        {"grids": [0]},
        {"even_share": 0.0},
        {"optimizer": "mixed"},
        {"variables": "tanh"},
    ],
    ids=str,
)
def test_parameters_that_do_not_go_together_are_refused(given):
    with pytest.raises(ValidationError):
        ZOO.params.model_validate({"name": "zoo", **given})


def test_the_paper_s_numbers_are_those_of_its_code_and_any_may_be_given_instead():
    paper = ZOO.params.model_validate({"name": "zoo", "preset": "paper", "search_steps": 1})
    assert paper.schedule == (3000, 1, 0.01, 0.01)
    assert (paper.optimizer, paper.units, paper.even_share) == ("adam", "box", 1.0)
