"""What is concluded is true: bounds lie on their side of the true radius, points in the box, and are what is said."""

import numpy as np
import pytest

from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from audits.evidence.brackets import reached
from tests.laws.members import go, held, is_attack, is_certificate, linear, samples, truth, undisturbed


@held(in_every_norm=True)
def test_every_row_asked_lies_in_the_box(method, norm):
    model = truth(method)
    box = Box(np.float32(0.25) * np.ones((), np.float32), np.float32(0.75) * np.ones((), np.float32))
    go(method, norm, model, box=box)
    assert model.queried
    for rows in model.queried + model.differentiated:
        assert box.contains(rows).all()


@held(is_attack, in_every_norm=True)
def test_a_finding_survives_a_fresh_query_and_its_distance_is_that_of_its_point(method, norm):
    model, outcomes = linear(), undisturbed(method, norm)
    assert any(o.x_adv is not None for o in outcomes)
    for outcome, x in zip(outcomes, samples().x, strict=True):
        if outcome.x_adv is not None:
            scores = model.scores(outcome.x_adv[None])[0]
            assert np.delete(scores, outcome.finding.label).max() > scores[outcome.finding.label]
            offset = (outcome.x_adv.astype(np.float64) - x).ravel()
            assert reached(outcome.finding) == pytest.approx(np.linalg.norm(offset, norm.p), rel=1e-12)


@held(is_attack, in_every_norm=True)
def test_no_attack_reports_less_than_the_true_radius(method, norm):
    model = linear()
    for outcome, x in zip(go(method, norm, model, box=Box.unbounded()), samples().x, strict=True):
        if (distance := reached(outcome.finding)) is not None:
            assert distance >= model.radius(x, outcome.finding.label, norm) * (1 - 1e-5)


@held(is_certificate, in_every_norm=True)
@pytest.mark.parametrize("box", [Box.unbounded(), Threat().box], ids=["unbounded", "box"])
def test_no_certificate_reports_more_than_the_true_radius(method, norm, box):
    model = truth(method)
    for outcome, x in zip(go(method, norm, model, box=box), samples().x, strict=True):
        assert outcome.finding.kind is Kind.LOWER_BOUND
        if not box.is_bounded:
            assert 0 < outcome.finding.value <= model.radius(x, outcome.finding.label, norm)


@held(is_certificate, in_every_norm=True)
def test_at_an_epsilon_a_certificate_proves_it_or_nothing(method, norm):
    radii = [o.finding.value for o in undisturbed(method, norm)]
    near, far = ([o.finding for o in go(method, norm, epsilon=e)] for e in (0.5 * min(radii), 2.0 * max(radii)))
    assert {(f.kind, f.value) for f in near} == {(Kind.LOWER_BOUND, 0.5 * min(radii))}
    unproven = [f for f in far if f.kind is not Kind.UPPER_BOUND or not is_attack(method)]
    assert {(f.kind, f.value, f.details["reason"]) for f in unproven} <= {(Kind.ABSTAINED, None, "not_proven")}
    assert unproven or is_attack(method)


@held(lambda method: is_attack(method) and method.epsilon != "refused", in_every_norm=True)
def test_within_an_epsilon_no_finding_is_farther_than_it(method, norm):
    model = linear()
    epsilon = 1.5 * max(model.radius(x, int(model.labels(x[None])[0]), norm) for x in samples().x)
    values = [reached(o.finding) for o in go(method, norm, epsilon=epsilon, box=Box.unbounded())]
    assert any(v is not None for v in values)
    assert all(v is None or v <= epsilon for v in values)


@held(lambda method: is_attack(method) and "targeted" in method.goals, in_every_norm=True)
def test_a_targeted_finding_reaches_its_target(method, norm):
    """The least likely class, which nobody reaches who aims at another."""
    model = linear()
    outcomes = go(method, norm, model, targeted="least_likely", box=Box.unbounded())
    assert any(outcome.x_adv is not None for outcome in outcomes)
    for outcome in outcomes:
        if outcome.x_adv is not None:
            (answer,) = model.labels(outcome.x_adv[None])
            assert answer == model.scores(samples().x[outcome.finding.index][None])[0].argmin()


@held(is_attack)
@pytest.mark.parametrize("targeted", [None, "runner_up"])
def test_the_class_that_a_point_is_read_as_is_told(method, norm, targeted):
    if targeted and "targeted" not in method.goals:
        return
    for outcome in go(method, norm, targeted=targeted):
        if outcome.x_adv is not None:
            (answer,) = truth(method).labels(outcome.x_adv[None])
            assert outcome.finding.details["read_as"] == answer != outcome.finding.label


@held(is_attack)
def test_a_trace_tells_how_the_distance_fell_with_its_cost(method, norm):
    for finding in (o.finding for o in undisturbed(method, norm) if o.x_adv is not None):
        costs, distances = zip(*finding.details["trace"], strict=True)
        assert list(costs) == sorted(set(costs)) and list(distances) == sorted(distances, reverse=True)
        assert distances[-1] == reached(finding) and costs[-1] <= finding.queries + finding.gradients


@held(lambda method: method.kind is Kind.UPPER_BOUND)
def test_a_curve_of_at_most_32_points_ends_with_the_distance_that_was_found(method, norm):
    for finding in (o.finding for o in undisturbed(method, norm) if o.x_adv is not None):
        curve, trace = finding.details["curve"], finding.details["trace"]
        costs, distances = zip(*curve, strict=True)
        assert list(costs) == sorted(set(costs)) and list(distances) == sorted(distances, reverse=True)
        assert 0 < len(curve) <= 32 and curve[-1] == trace[-1] and curve[0][1] >= trace[0][1]
