"""Frank-Wolfe by estimated slopes, against closed forms and against what the algorithm promises of its iterates."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.searches.directions.spanning import spanning_basis
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear, TinyTanh

FW = method("frank_wolfe_black_box")
D, N = 20, 4
X = np.random.default_rng(1).uniform(0.2, 0.8, (N, D)).astype(np.float32)
NORMS = pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])


class Answers(Linear):
    """A linear model whose logits are answered as `shown` says."""

    def __init__(self, *, features: float = 1.0, scores: float = 1.0, classes: int = 4, shown=None):
        rng = np.random.default_rng(0)
        super().__init__(scores * rng.normal(size=(classes, D)), scores * features * 0.1 * rng.normal(size=classes))
        self.shown, self.gives_probabilities = shown, shown is not None

    def _scores(self, rows):
        z = self.logits(rows.reshape(len(rows), -1).astype(np.float64))
        return (z if self.shown is None else self.shown(z)).astype(np.float32)


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def rounded(z):
    return softmax(8 * z).round(2)


def attack(model, norm, x=X, *, epsilon=None, queries=3000, targeted=None, box=None, prepared=None, **params):
    threat = Threat(norm, box or Box.unbounded(), epsilon=epsilon, targeted=targeted)
    samples = Samples(x, tuple(range(len(x))), None, prepared=prepared or {})
    chosen = FW.params.model_validate({"name": FW.name, **params})
    return [o.finding for o in run(model, samples, FW, chosen, threat, Budget(queries), seed=0)]


def radius(model, finding, norm, x=X):
    return model.radius(x[finding.index], finding.label, norm)


@NORMS
@pytest.mark.parametrize(("features", "scores", "classes"), [(1.0, 1.0, 4), (1e-3, 1.0, 10), (50.0, 1e3, 2)])
def test_on_a_linear_model_of_any_scale_it_comes_close_to_the_closed_form(norm, features, scores, classes):
    model, x = Answers(features=features, scores=scores, classes=classes), (features * X).astype(np.float32)
    for finding in attack(model, norm, x):
        true = radius(model, finding, norm, x)
        assert true * (1 - 1e-5) <= finding.value <= 1.25 * true


@NORMS
@pytest.mark.parametrize("targeted", [None, "runner_up"])
def test_a_little_beyond_the_robust_radius_it_succeeds_and_a_little_below_it_does_not(norm, targeted):
    model = Answers(classes=2)
    for i in range(N):
        x = X[[i]]
        true = model.radius(x[0], int(model.labels(x)[0]), norm)
        beyond, below = (attack(model, norm, x, epsilon=share * true, targeted=targeted)[0] for share in (1.2, 0.99))
        assert (beyond.kind, below.kind) == (Kind.UPPER_BOUND, Kind.ABSTAINED)
        assert true * (1 - 1e-5) <= beyond.value <= 1.2 * true


@NORMS
@pytest.mark.parametrize("step_size", [0.1, 1.0])
def test_every_iterate_lies_in_ball_and_box_without_a_projection(norm, step_size):
    model, x, pairs, epsilon = TinyTanh(2, d=6), X[:1, :6], 5, 0.05
    attack(model, norm, x, epsilon=epsilon, box=Threat().box, pairs=pairs, step_size=step_size, queries=600)
    asked = np.concatenate(model.queried)
    iterates = asked[1 :: 2 * pairs + 1]  # the clean row, the sample, pairs, an iterate, pairs, ...
    away = np.linalg.norm(iterates.astype(float) - x, norm.p, axis=1)
    assert len(away) > 50
    assert away[0] == 0
    assert 0.03 < away.max() <= epsilon
    assert (asked >= 0).all() and (asked <= 1).all()


@NORMS
def test_a_whole_step_leads_to_the_least_point_of_the_ball_and_away_from_the_label(norm):
    """As many pairs as on a linear model show its slope to some per cent: linf, each sign of it but the smallest."""
    model, epsilon = Answers(classes=2), 1e-3
    attack(model, norm, X[:1], epsilon=epsilon, pairs=4000, step_size=1.0, momentum=0.0, queries=8010)
    start, moved = (np.concatenate(model.queried)[i].astype(float) for i in (1, -1))
    label = int(model.labels(X[:1])[0])
    slope = model.weights[label] - model.weights[1 - label]  # the label's lead falls against it
    best = epsilon * np.linalg.norm(slope, norm.dual.p)
    assert np.linalg.norm(moved - start, norm.p) == pytest.approx(epsilon, rel=1e-3)
    assert (start - moved) @ slope > 0.97 * best


@NORMS
def test_the_gap_is_about_what_a_linear_loss_could_still_fall(norm):
    """At the sample: epsilon times the slope's dual length; after a whole step to the least point: nothing."""
    model = Answers(classes=2)
    x, slope = X[:1], np.linalg.norm(model.weights[0] - model.weights[1], norm.dual.p)
    epsilon = 0.5 * model.radius(x[0], int(model.labels(x)[0]), norm)
    many = {"pairs": 4000, "momentum": 0.0, "step_size": 1.0}
    gaps = [
        attack(model, norm, x, epsilon=epsilon, queries=None, steps=steps, **many)[0].details[
            "frank_wolfe_gap_estimate"
        ]
        for steps in (1, 2)
    ]
    assert gaps[0] == pytest.approx(epsilon * slope, rel=0.1)
    assert 0 <= gaps[1] < 0.03 * gaps[0]


def test_the_gap_is_told_where_the_budget_ends_the_walk():
    (finding,) = attack(Answers(), Norm.L2, X[:1], epsilon=1e-4, queries=300)
    assert (finding.ended, finding.kind) == ("budget", Kind.ABSTAINED)
    assert finding.details["frank_wolfe_gap_estimate"] > 0


@NORMS
@pytest.mark.parametrize("targeted", [None, "least_likely"])
def test_probabilities_lead_where_the_logits_behind_them_do(norm, targeted):
    by_logits = attack(Answers(), norm, targeted=targeted)
    by_probabilities = attack(Answers(shown=softmax), norm, targeted=targeted)
    for a, b in zip(by_logits, by_probabilities, strict=True):
        assert b.value == pytest.approx(a.value, rel=0.15)


@NORMS
def test_rounded_probabilities_are_searched_across_their_plateaus_and_that_is_said(norm):
    model = Answers(shown=rounded)
    findings = attack(model, norm)
    assert any(f.details.get("warnings") == ["plateau"] for f in findings)
    for finding in findings:
        assert finding.value <= 2 * radius(Answers(), finding, norm)


def test_a_model_that_says_the_same_of_all_rows_is_given_up_with_a_warning():
    findings = attack(Answers(shown=lambda z: np.eye(4)[np.zeros(len(z), int)]), Norm.LINF)
    assert all((f.kind, f.details["warnings"]) == (Kind.ABSTAINED, ["plateau"]) for f in findings)
    assert max(f.queries for f in findings) < 1000


@NORMS
def test_directions_of_a_subspace_that_holds_the_slope_need_fewer_queries(norm):
    """Two classes that lie 3 of 200 dimensions apart: the span of samples that differ in these alone."""
    rng = np.random.default_rng(3)
    span = rng.normal(size=(3, 200))
    weights = rng.normal(size=3) @ span
    model = Linear(np.stack([weights, -weights]), np.zeros(2))
    x = rng.uniform(0.2, 0.8, (N, 200)).astype(np.float32)
    epsilon = 1.4 * max(model.radius(row, int(model.labels(row[None])[0]), norm) for row in x)
    basis = spanning_basis((rng.normal(size=(9, 3)) @ span).astype(np.float32))
    queries = {
        name: np.sum([f.queries for f in attack(model, norm, x, epsilon=epsilon, pairs=3, prepared=prepared, **given)])
        for name, prepared, given in [
            ("full", None, {}),
            ("spanning", {"basis": basis}, {"directions": "spanning"}),
            ("top", {"basis": basis}, {"directions": "spanning", "subspace": "top", "rank": 3}),
        ]
    }
    assert queries["spanning"] == queries["top"] < 0.5 * queries["full"]
