"""Frank-Wolfe against closed forms, and against what the algorithm promises of its iterates."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear, Staircase, TinyTanh

FW = method("frank_wolfe")


def linear(seed: int, *, features: float = 1.0, scores: float = 1.0, classes: int = 4, d: int = 20) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(scores * rng.normal(size=(classes, d)), scores * features * 0.1 * rng.normal(size=classes))


def samples(d: int = 20, n: int = 6, features: float = 1.0) -> Samples:
    x = features * np.random.default_rng(1).uniform(0.2, 0.8, (n, d))
    return Samples(x.astype(np.float32), tuple(range(n)), labels=None)


def attack(model, what, norm, box=None, *, epsilon=None, **params):
    threat = Threat(norm, Box.unbounded() if box is None else box, epsilon=epsilon)
    return run(model, what, FW, FW.params(**params), threat, Budget(None), seed=0)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("features", "scores", "classes"), [(1.0, 1.0, 4), (1e-3, 1.0, 10), (50.0, 1e3, 2)])
def test_on_a_linear_model_of_any_scale_the_distance_is_within_one_per_cent_of_the_closed_form(
    norm, features, scores, classes
):
    model, what = linear(0, features=features, scores=scores, classes=classes), samples(features=features)
    for outcome, x in zip(attack(model, what, norm), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, norm)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("loss", ["margin", "cross_entropy"])
def test_every_iterate_lies_in_ball_and_box_without_a_projection(norm, loss):
    model, what = TinyTanh(2, d=6), samples(d=6, n=4)
    attack(model, what, norm, Threat().box, epsilon=0.05, loss=loss, steps=30)
    asked = np.concatenate(model.differentiated)
    away = np.linalg.norm((asked[:, None].astype(float) - what.x), norm.p, axis=2).min(axis=1)
    assert len(asked) > 60
    assert away.max() <= 0.05 and away.max() > 0.03
    assert (asked >= 0).all() and (asked <= 1).all()


def test_one_whole_step_is_the_fast_gradient_sign_method():
    model, what, epsilon = TinyTanh(3, d=5), samples(d=5, n=6), 0.3
    labels = model.labels(what.x)
    model.queried.clear()
    attack(model, what, Norm.LINF, Threat().box, epsilon=epsilon, loss="cross_entropy", steps=1, step_size=1.0)

    def cotangent(scores, positions):
        powers = np.exp(scores)
        return powers / powers.sum(axis=1, keepdims=True) - np.eye(3)[labels[positions]]

    _, slopes = model.gradients(what.x, cotangent)
    expected = np.minimum(np.maximum(what.x + epsilon * np.sign(slopes), 0), 1)
    ends = model.queried[1]  # the clean rows come first
    np.testing.assert_allclose(ends, expected, atol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_the_gap_is_what_a_linear_loss_could_still_fall_and_falls_itself(norm):
    """Where nothing is adversarial within the radius: on a line it is 0 at the least point, and all of it at first."""
    model, what = linear(0, classes=2), samples(n=3)
    epsilon = 0.5 * min(model.radius(x, int(model.labels(x[None])[0]), norm) for x in what.x)
    slope = np.linalg.norm(model.weights[0] - model.weights[1], norm.dual.p)
    gaps = [
        [o.finding.details["frank_wolfe_gap"] for o in attack(model, what, norm, epsilon=epsilon, steps=steps)]
        for steps in (1, 20, 80)
    ]
    np.testing.assert_allclose(gaps[0], epsilon * slope, rtol=1e-4)
    assert np.all(np.array(gaps) >= -1e-6)
    np.testing.assert_allclose(gaps[1], 0.9**19 * epsilon * slope, rtol=1e-3)
    assert np.all(np.array(gaps[2]) < 1e-3 * epsilon * slope)


def test_the_untargeted_step_leads_away_from_the_label():
    """Their white-box code turns the step round instead: there the first point would be more the sample's own."""
    model, what = linear(1, classes=2), samples(n=3)
    attack(model, what, Norm.L2, epsilon=1e-3, steps=2)
    first, second = (model.logits(rows.astype(float)) for rows in model.differentiated[1:3])
    labels = model.labels(what.x)
    rows = np.arange(3)
    assert (second[rows, labels] - second[rows, 1 - labels] < first[rows, labels] - first[rows, 1 - labels]).all()


def test_in_l1_a_feature_at_its_end_does_not_hold_the_others_up():
    model = Linear(np.array([[0.0, 0.0], [2.0, 1.0]]), np.array([2.5, 0.0]))
    what = Samples(np.float32([[1.0, 0.0]]), (0,), labels=None)  # margin 0.5, and the steepest feature is at its end
    (outcome,) = attack(model, what, Norm.L1, Threat().box)
    assert 0.5 * (1 - 1e-5) <= outcome.finding.value <= 1.01 * 0.5


def test_a_success_is_pulled_back_and_says_how_far_it_was():
    model, what = linear(0), samples()
    epsilon = 3 * max(model.radius(x, int(model.labels(x[None])[0]), Norm.LINF) for x in what.x)
    for outcome in attack(model, what, Norm.LINF, epsilon=epsilon):
        before = outcome.finding.details["before_pull_back"]
        assert outcome.finding.value <= before < epsilon


def test_where_gradients_vanish_it_stops_and_says_so():
    for outcome in attack(Staircase(linear(0), 0.2), samples(n=2), Norm.LINF, Threat().box):
        assert outcome.finding.kind is Kind.ABSTAINED and outcome.x_adv is None
        assert outcome.finding.details["zero_gradient_share"] == 1.0
        assert outcome.finding.details["warnings"] == ["zero_gradients"]
        assert outcome.finding.gradients <= 5
