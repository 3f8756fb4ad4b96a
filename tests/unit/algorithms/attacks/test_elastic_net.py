"""The elastic-net attack against closed forms, and against a second FISTA."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear, Staircase

EAD = method("elastic_net")


def linear(seed: int, *, features: float = 1.0, scores: float = 1.0, classes: int = 4, d: int = 20) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(scores * rng.normal(size=(classes, d)), scores * features * 0.1 * rng.normal(size=classes))


def samples(d: int = 20, n: int = 6, features: float = 1.0) -> Samples:
    x = features * np.random.default_rng(1).uniform(0.2, 0.8, (n, d))
    return Samples(x.astype(np.float32), tuple(range(n)), labels=None)


def attack(model, what, box=None, **params):
    threat = Threat(Norm.L1, Box.unbounded() if box is None else box)
    return run(model, what, EAD, EAD.params(**params), threat, Budget(None), seed=0)


@pytest.mark.parametrize(("features", "scores", "classes"), [(1.0, 1.0, 4), (1e-3, 1.0, 10), (50.0, 1e3, 2)])
def test_on_a_linear_model_of_any_scale_the_distance_is_within_one_per_cent_of_the_closed_form(
    features, scores, classes
):
    model, what = linear(0, features=features, scores=scores, classes=classes), samples(features=features)
    for outcome, x in zip(attack(model, what), what.x, strict=True):
        true = model.radius(x, outcome.finding.label, Norm.L1)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 1.01 * true


def test_changes_are_sparse_exactly():
    model, what = linear(0), samples()
    for outcome, x in zip(attack(model, what), what.x, strict=True):
        assert 1 <= np.count_nonzero(outcome.x_adv - x) <= 3


def test_in_the_box_a_feature_goes_to_its_end_and_the_next_one_takes_over():
    """The steepest feature has room for half the margin only."""
    model = Linear(np.array([[0.0, 0.0, 0.0], [2.0, 1.0, 0.1]]), np.array([1.0, 0.0]))
    what = Samples(np.float32([[0.5, 0.0, 0.0]]), (0,), labels=np.array([0]))
    model.bias[0] = 2.4  # margin 1.4: 1.0 by the first feature, 0.4 by the second
    (outcome,) = attack(model, what, Threat().box)
    assert 0.9 * (1 - 1e-5) <= outcome.finding.value <= 1.01 * 0.9
    np.testing.assert_allclose(outcome.x_adv, [[1.0, 0.4, 0.0]][0], atol=0.01)


def test_with_beta_0_it_is_projected_fista():
    """On c f + ||x - x0||_2^2, by a second implementation: the same points are asked."""
    model, what, c, steps = linear(3, classes=2), samples(n=1), 0.3, 40
    attack(model, what, Threat().box, preset="paper", beta=0.0, steps=steps, search_steps=1, constant=c)
    asked = np.concatenate(model.differentiated)
    x0 = what.x[0].astype(float)
    (label,) = model.labels(what.x)
    w, b = model.weights[1 - label] - model.weights[label], model.bias[1 - label] - model.bias[label]
    x, y, expected = x0, x0, []
    for k in range(len(asked)):
        expected.append(y)
        slope = -c * w * (w @ y + b < 0) + 2 * (y - x0)
        before, x = x, np.minimum(np.maximum(y - 0.01 * np.sqrt(1 - k / steps) * slope, 0), 1)
        y = np.minimum(np.maximum(x + k / (k + 3) * (x - before), 0), 1)
    assert len(asked) > 5
    np.testing.assert_allclose(asked, expected, atol=1e-5)


def test_each_rule_keeps_what_it_says():
    model, what, beta = linear(0), samples(), 0.01

    def net(outcome, x):
        away = outcome.x_adv.astype(float) - x
        return beta * np.abs(away).sum() + (away**2).sum()

    found = {
        rule: attack(model, what, rule=rule, preset="paper", beta=beta, steps=100, learning_rate=0.05)
        for rule in ("EN", "L1")
    }
    pairs = list(zip(found["EN"], found["L1"], what.x, strict=True))
    assert all(short.finding.value <= mixed.finding.value * 1.001 for mixed, short, _ in pairs)
    assert all(net(mixed, x) <= net(short, x) * 1.001 for mixed, short, x in pairs)
    assert any(net(mixed, x) < net(short, x) * 0.999 for mixed, short, x in pairs)


def test_a_sample_with_no_gradient_is_left_at_once_and_says_so():
    for outcome in attack(Staircase(linear(0), 0.2), samples(n=2), Threat().box):
        assert outcome.finding.kind is Kind.ABSTAINED and outcome.x_adv is None
        assert outcome.finding.details["zero_gradient_share"] == 1.0
        assert outcome.finding.details["warnings"] == ["zero_gradients"]
