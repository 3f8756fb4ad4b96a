"""NES on models whose robust radius is known, through all that it may be shown of an answer."""

from functools import partial

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear

NES = method("nes")
SHAPE, N, CLASSES = (1, 5, 5), 4, 4
NORMS = pytest.mark.parametrize("norm", [Norm.LINF, Norm.L2])
X = np.random.default_rng(1).uniform(0.3, 0.7, (N, *SHAPE)).astype(np.float32)


class Answers(Linear):
    """A linear model whose logits are answered as `shown` says."""

    def __init__(self, shown=None, probabilities=False, steepness=1.0):
        rng = np.random.default_rng(2)
        super().__init__(steepness * rng.normal(size=(CLASSES, 25)), 0.1 * rng.normal(size=CLASSES), SHAPE)
        self.shown, self.gives_probabilities = shown, probabilities

    def _scores(self, rows):
        z = self.logits(rows.reshape(len(rows), -1).astype(np.float64))
        return (z if self.shown is None else self.shown(z)).astype(np.float32)


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def rounded(digits, z):
    return np.round(softmax(z), digits)


def certain(z):
    """One for the class, zero for all others: labels in the guise of scores."""
    return (z == z.max(axis=1, keepdims=True)).astype(np.float64)


def attack(model, norm, *, queries=1500, epsilon=None, pool=None, targeted=None, box=None, **params):
    threat = Threat(norm, box or Box.unbounded(), epsilon=epsilon, targeted=targeted)
    samples = Samples(X, tuple(range(N)), None, pool=pool)
    chosen = NES.params.model_validate({"name": "nes", **params})
    return [o.finding for o in run(model, samples, NES, chosen, threat, Budget(queries), seed=3)]


def radii(model, norm, findings, targets=None):
    truth = Answers(steepness=np.abs(model.weights).max() / np.abs(Answers().weights).max())
    return [truth.radius(X[f.index], f.label, norm) for f in findings]


@NORMS
@pytest.mark.parametrize("loss", ["margin", "cross_entropy"])
def test_without_a_radius_it_comes_close_to_the_nearest_point_of_a_linear_model(norm, loss):
    model = Answers()
    findings = attack(model, norm, loss=loss)
    for finding, radius in zip(findings, radii(model, norm, findings), strict=True):
        assert radius * (1 - 1e-5) <= finding.value <= 1.25 * radius
        assert "warnings" not in finding.details


@NORMS
def test_a_little_beyond_the_robust_radius_it_succeeds_and_a_little_below_it_does_not(norm):
    model = Answers()
    reach = radii(model, norm, attack(model, norm, queries=100, epsilon=0.01))
    for share, kind in ((1.1, Kind.UPPER_BOUND), (0.99, Kind.ABSTAINED)):
        for i in range(N):
            finding = attack(model, norm, queries=2000, epsilon=share * reach[i])[i]
            assert finding.kind is kind


@NORMS
@pytest.mark.parametrize("targeted", [None, "runner_up", "least_likely"])
def test_probabilities_lead_where_the_logits_behind_them_do(norm, targeted):
    by_logits = attack(Answers(), norm, targeted=targeted)
    by_probabilities = attack(Answers(softmax, probabilities=True), norm, targeted=targeted)
    for a, b in zip(by_logits, by_probabilities, strict=True):
        assert b.value == pytest.approx(a.value, rel=0.1)


@NORMS
@pytest.mark.parametrize("digits", [2, 3, 4])
def test_rounded_probabilities_are_searched_across_their_plateaus_and_that_is_said(norm, digits):
    model = Answers(partial(rounded, digits), probabilities=True, steepness=8.0)
    findings = attack(model, norm)
    assert any(f.details.get("warnings") == ["plateau"] for f in findings)
    for finding, radius in zip(findings, radii(model, norm, findings), strict=True):
        assert radius * (1 - 1e-5) <= finding.value <= 2 * radius


@NORMS
def test_saturated_probabilities_are_searched(norm):
    """Float32 answers 1 and 0 at the samples: a soft-max at gaps of hundreds."""
    model = Answers(softmax, probabilities=True, steepness=3000.0)
    assert (model.scores(X).max(axis=1) == 1).all()
    findings = attack(model, norm)
    for finding, radius in zip(findings, radii(model, norm, findings), strict=True):
        assert radius * (1 - 1e-5) <= finding.value <= 2 * radius


@NORMS
def test_a_staircase_of_logits_is_looked_across(norm):
    model = Answers(lambda z: np.floor(4 * z) + 0.25 * softmax(z).round(1), steepness=4.0)
    findings = attack(model, norm)
    assert all(f.kind is Kind.UPPER_BOUND and f.details["warnings"] == ["plateau"] for f in findings)


@NORMS
@pytest.mark.parametrize("targeted", [None, "random"])
def test_scores_that_tell_nothing_are_warned_of_and_labels_are_followed_instead(norm, targeted):
    pool = np.random.default_rng(5).uniform(0, 1, (30, *SHAPE)).astype(np.float32)
    model = Answers(certain, probabilities=True)
    findings = attack(model, norm, pool=pool, box=Threat().box, targeted=targeted, queries=4000)
    assert all(f.details["warnings"] == ["plateau"] for f in findings)
    assert sum(f.kind is Kind.UPPER_BOUND for f in findings) >= N - 1


@NORMS
@pytest.mark.parametrize("targeted", [None, "random"])
@pytest.mark.parametrize("scored", [True, False], ids=["of scores", "labels only"])
def test_labels_alone_lead_from_an_adversarial_point_towards_the_sample(norm, targeted, scored):
    pool = np.random.default_rng(5).uniform(0, 1, (30, *SHAPE)).astype(np.float32)
    model = Answers()
    if not scored:
        model.offers = model.offering(Access.LABELS)
    findings = attack(
        model, norm, pool=pool, targeted=targeted, information="labels", pairs=10, queries=6000, box=Threat().box
    )
    found = [f for f in findings if f.kind is Kind.UPPER_BOUND]
    assert len(found) >= N - 1
    for finding in found:
        first, last = finding.details["trace"][0][1], finding.details["trace"][-1][1]
        assert last < first
        if targeted is None:
            assert finding.value <= 2.5 * Answers().radius(X[finding.index], finding.label, norm)


@NORMS
@pytest.mark.parametrize("epsilon", [None, 0.6])
def test_partial_information_keeps_the_target_in_sight_and_reaches_it(norm, epsilon):
    pool = np.random.default_rng(5).uniform(0, 1, (60, *SHAPE)).astype(np.float32)
    radius = epsilon and (epsilon if norm is Norm.LINF else 3 * epsilon)
    findings = attack(
        Answers(softmax, probabilities=True),
        norm,
        pool=pool,
        targeted="random",
        information="top_k",
        top=2,
        epsilon=radius,
        box=Threat().box,
    )
    assert sum(f.kind is Kind.UPPER_BOUND for f in findings) >= N - 1
    assert all(radius is None or f.value is None or f.value <= radius for f in findings)


@NORMS
def test_a_target_that_is_in_sight_at_the_sample_is_climbed_to_from_there(norm):
    """No other input is needed, and the way goes on beyond where the target comes into sight."""
    model = Answers()
    reach = [
        model.radius(x, int(z.argmax()), norm, int(z.argsort()[-2])) for x, z in zip(X, model.scores(X), strict=True)
    ]
    for i in range(N):
        found = attack(
            Answers(softmax, probabilities=True),
            norm,
            targeted="runner_up",
            information="top_k",
            top=2,
            epsilon=1.3 * reach[i],
        )[i]
        assert found.kind is Kind.UPPER_BOUND and reach[i] * (1 - 1e-5) <= found.value


@NORMS
@pytest.mark.parametrize("top", [1, 2])
def test_untargeted_the_highest_scores_are_enough(norm, top):
    model = Answers(softmax, probabilities=True)
    findings = attack(model, norm, information="top_k", top=top)
    for finding, radius in zip(findings, radii(model, norm, findings), strict=True):
        assert finding.value <= 1.35 * radius


def test_what_is_not_seen_changes_no_question():
    """Beside the two highest scores the model may say anything that is lower."""

    def hidden(z):
        p = softmax(z)
        return np.where(p >= np.sort(p, axis=1)[:, [-2]], p, 0.0)

    asked = []
    for shown in (softmax, hidden):
        model = Answers(shown, probabilities=True)
        attack(model, Norm.LINF, queries=400, information="top_k", top=2)
        asked.append(np.concatenate(model.queried))
    assert np.array_equal(*asked)
