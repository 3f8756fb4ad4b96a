"""What a run says where there is nothing to find, and that it ends when it is told to."""

import numpy as np
import pytest

from algorithms.driver.running import Samples
from algorithms.seam.claims import Kind
from audits.evidence.brackets import reached
from tests.laws.members import (
    SHAPE,
    N,
    constant,
    go,
    held,
    is_about_samples,
    is_attack,
    needs_outputs,
    samples,
    truth,
    undisturbed,
)
from tests.truths import Constant


@held(is_about_samples)
def test_a_constant_model_ends_without_an_attack_or_estimate_and_without_nan(method, norm):
    """A certificate may say as much as it can: no radius is too large."""
    for outcome in go(method, norm, constant(method)):
        assert outcome.finding.kind in {Kind.ABSTAINED} | ({method.kind} if method.family == "certificate" else set())
        assert "NaN" not in outcome.finding.model_dump_json()


@held(is_attack)
def test_a_tie_is_not_a_success(method, norm):
    model = Constant(np.array([0.5, 0.5, 0.0, 0.0]), SHAPE)
    found = {(o.finding.kind, o.finding.value, o.x_adv) for o in go(method, norm, model)}
    assert found <= {(Kind.ABSTAINED, None, None), (Kind.LOWER_BOUND, 0.0, None)}


@held(is_about_samples)
def test_a_sample_that_is_wrong_already_costs_its_clean_row_only(method, norm):
    model, what = truth(method), samples()
    wrong = (model.labels(what.x) + 1) % 4
    outcomes = go(method, norm, model, Samples(what.x, what.indices, labels=wrong))
    assert {(o.finding.kind, o.finding.value, o.finding.queries) for o in outcomes} == {(Kind.MISCLASSIFIED, 0.0, 1)}


@held()
def test_scores_that_are_not_finite_are_abstained_from(method, norm):
    model = Constant(np.array([np.nan, 0.0]), SHAPE)
    outcomes = go(method, norm, model, Samples(samples().x, samples().indices, labels=np.zeros(N, np.int64)))
    assert {o.finding.details["reason"] for o in outcomes} == {"scores_not_finite"}


@held(lambda method: "targeted" in method.goals)
def test_a_target_that_the_model_answers_anyway_is_neither_a_success_nor_a_bound(method, norm):
    model, x = truth(method), samples().x
    given = Samples(x, tuple(range(N)), labels=None, targets=model.labels(x))
    for outcome in go(method, norm, model, given, targeted="given"):
        assert (outcome.finding.kind, outcome.finding.value) == (Kind.ABSTAINED, None)
        assert outcome.finding.details["reason"] == "target_is_label"
        assert outcome.finding.queries == 1


@held(needs_outputs)
@pytest.mark.parametrize(
    ("top", "rest", "probabilities", "saturated"),
    [
        (1.0, 0.0, True, True),
        (1.0, 3e-8, True, True),  # a soft-max at a gap of 17
        (np.nextafter(np.float32(1), np.float32(0)), 3e-8, True, False),
        (1.0, 0.0, False, False),
    ],
    ids=["one", "nearly-one", "below-one", "logits"],
)
def test_saturated_probabilities_are_told_of_and_logits_are_never_saturated(
    method, norm, top, rest, probabilities, saturated
):
    model = Constant(np.array([rest, top, rest]), SHAPE)
    model.gives_probabilities = probabilities
    (outcome,) = go(method, norm, model, samples((0,)))
    assert outcome.finding.details.get("saturated", False) is saturated


@held()
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["at-once", "halfway", "at-the-end"])
def test_cancel_keeps_what_was_found_and_says_so(method, norm, share):
    """The last look of a run comes before its last question is asked."""
    looks: list[object] = []
    go(method, norm, checkpoint=looks.append)
    last, beats = int(share * (len(looks) - 1)), iter(range(10**6))
    found = go(method, norm, checkpoint=lambda _: "cancelled" if next(beats) >= last else None)
    whole = undisturbed(method, norm)
    assert "cancelled" in {o.finding.ended for o in found}
    for cut, end in zip((o.finding for o in found), (o.finding for o in whole), strict=True):
        assert cut.ended == "cancelled" or cut == end
        assert cut.queries <= end.queries and cut.gradients <= end.gradients
        assert not is_attack(method) or reached(cut) is None or reached(end) <= reached(cut)
    if is_attack(method) and share == 1.0:
        assert any(o.x_adv is not None and o.finding.ended == "cancelled" for o in found)


@held()
def test_progress_only_grows_and_ends_at_one(method, norm):
    seen: list[float] = []
    counted: list[int] = []

    def note(progress):
        seen.append(progress.fraction)
        counted.append(progress.queries + progress.gradients)

    go(method, norm, checkpoint=note)
    assert seen == sorted(seen) and counted == sorted(counted) and 0 <= seen[0] and seen[-1] <= 1
