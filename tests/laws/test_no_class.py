"""Scores that are no numbers name no class: nobody is fooled by them, nobody votes by them, and no row is right.

The model under audit is linear, and answers nothing where another class than the sample's would begin. So it has no
adversarial input at all, and whoever shows one has read NaN, or what overflowed, as a class.
"""

import numpy as np
import pytest

from algorithms.driver.running import Samples
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from algorithms.seam.labeling import NO_CLASS, is_fooled, named
from audits.evidence.brackets import reached
from tests.laws.members import SHAPE, N, go, held, is_attack, linear, needs_outputs, samples, undisturbed
from tests.truths import Constant, Linear

LABELS = linear().labels(samples().x)


class Silent(Linear):
    """A linear model that says `instead` where its class is not `label`."""

    def __init__(self, label, instead):
        super().__init__(linear().weights, linear().bias, SHAPE)
        self.label, self.instead = label, instead

    def logits(self, x):
        z = super().logits(x)
        return np.where((z.argmax(axis=1) == self.label)[:, None], z, self.instead(z))

    def jacobian(self, x):
        speaks = super().logits(x).argmax(axis=1) == self.label
        return np.where(speaks[:, None, None], super().jacobian(x), np.nan)


def overflowed(z):
    return np.where(z == z.max(axis=1, keepdims=True), np.inf, z)


INSTEAD = {
    "NaN": lambda z: np.full_like(z, np.nan),
    "one NaN": lambda z: np.where(np.arange(z.shape[1]) == 3, np.nan, z),
    "a largest score that overflowed": overflowed,
    "several that overflowed": lambda z: np.full_like(z, np.inf),
    "minus infinity": lambda z: np.full_like(z, -np.inf),
}


def silent(method, norm, instead, i, **threat):
    """(what the method finds of sample i, the model)"""
    model = Silent(int(LABELS[i]), instead)
    (outcome,) = go(method, norm, model, samples((i,)), **threat)
    return outcome, model


def test_no_sample_is_of_the_class_that_numpy_names_for_nan():
    assert not set(LABELS) & {0, 3}


@held(lambda method: is_attack(method) and needs_outputs(method), in_every_norm=True)
@pytest.mark.parametrize(("i", "instead"), [(n % 2, kind) for n, kind in enumerate(INSTEAD.values())], ids=INSTEAD)
def test_no_attack_finds_a_point_where_the_model_answers_nothing(method, norm, i, instead):
    outcome, model = silent(method, norm, instead, i)
    assert outcome.x_adv is None and reached(outcome.finding) is None
    for rows in model.queried + model.differentiated:
        assert ((rows >= 0) & (rows <= 1)).all(), "a step was taken along a gradient that is no number"


@held(lambda method: method.kind is Kind.ESTIMATE and needs_outputs(method), in_every_norm=True)
def test_no_score_is_made_of_gradients_that_are_no_numbers(method, norm):
    for i in range(2):
        outcome, model = silent(method, norm, INSTEAD["NaN"], i)
        finding = outcome.finding
        assert finding.kind is Kind.ABSTAINED or (finding.kind is Kind.ESTIMATE and np.isfinite(finding.value))
        assert "NaN" not in finding.model_dump_json()
        for rows in model.queried + model.differentiated:
            assert ((rows >= 0) & (rows <= 1)).all(), "a step was taken along a gradient that is no number"


@held(lambda method: is_attack(method) and "targeted" in method.goals and needs_outputs(method))
def test_no_target_is_reached_where_the_model_answers_nothing(method, norm):
    model = Silent(int(LABELS[0]), INSTEAD["NaN"])
    given = Samples(samples().x[:1], (0,), labels=None, targets=np.array([0 if LABELS[0] else 1]))
    (outcome,) = go(method, norm, model, given, targeted="given")
    assert outcome.x_adv is None and reached(outcome.finding) is None


@held(lambda method: method.kind is Kind.SMOOTHED_LOWER_BOUND)
@pytest.mark.parametrize("instead", INSTEAD.values(), ids=INSTEAD)
def test_an_answer_that_names_no_class_is_a_vote_for_nobody(method, norm, instead):
    """Whoever else is voted for: the votes of the sample's own class are the same, and so is what they prove."""
    for i, theirs in enumerate(undisturbed(method, norm)):
        finding, label = silent(method, norm, instead, i)[0].finding, str(LABELS[i])
        assert set(finding.details["counts"]) <= {label}
        assert finding.details["counts"].get(label) == theirs.finding.details["counts"].get(label)
        if theirs.finding.kind is method.kind:
            assert finding.value == theirs.finding.value


@held(lambda method: method.kind is Kind.SMOOTHED_LOWER_BOUND)
def test_where_nobody_is_voted_for_no_class_is_certified(method, norm):
    class Alone(Linear):
        """Only the sample itself is answered."""

        def logits(self, x):
            away = np.abs(x - samples().x[0].reshape(-1)).max(axis=1)
            return np.where((away == 0)[:, None], super().logits(x), np.nan)

    (outcome,) = go(method, norm, Alone(linear().weights, linear().bias, SHAPE), samples((0,)))
    assert (outcome.finding.kind, outcome.finding.details["reason"]) == (Kind.ABSTAINED, "undecided")


@held(needs_outputs)
@pytest.mark.parametrize("labels", [None, np.zeros(N, np.int64)], ids=["predicted", "given"])
@pytest.mark.parametrize("scored", [True, False], ids=["scores", "labels only"])
def test_a_clean_row_without_a_class_is_abstained_from_for_its_own_price(method, norm, labels, scored):
    if not scored and set(method.needs) != {Access.LABELS}:
        return
    model = Constant(np.array([np.nan, 0.0, 1.0, 0.0]), SHAPE)
    if not scored:
        model.offers = model.offering(Access.LABELS)
    outcomes = go(method, norm, model, Samples(samples().x, samples().indices, labels=labels))
    reason = "scores_not_finite" if scored else "no_class"
    assert {(o.finding.kind, o.finding.predicted, o.finding.queries) for o in outcomes} == {
        (Kind.ABSTAINED, NO_CLASS, 1)
    }
    assert {o.finding.details["reason"] for o in outcomes} == {reason}


@held(lambda method: is_attack(method) and set(method.needs) == {Access.LABELS})
def test_a_class_behind_which_all_others_have_probability_zero_is_a_class(method, norm):
    """The logarithm of a soft-max is -inf for the others, where it is sure enough."""

    class Logarithm(Linear):
        def logits(self, x):
            z = super().logits(x)
            return np.where(z == z.max(axis=1, keepdims=True), 0.0, -np.inf)

    model = Logarithm(linear().weights, linear().bias, SHAPE)
    for outcome, theirs in zip(go(method, norm, model), undisturbed(method, norm), strict=True):
        assert outcome.finding.value == theirs.finding.value


ROWS = np.array([[1, 2, 0], [2, 2, 0], [0, -np.inf, -1], [0, np.nan, 1], [0, np.inf, 1], [-np.inf] * 3], np.float32)


def test_the_largest_finite_score_names_the_class_and_nothing_else_does():
    assert named(ROWS).tolist() == [1, 0, 0, NO_CLASS, NO_CLASS, NO_CLASS]


def test_nobody_is_fooled_by_no_class():
    assert is_fooled(np.array([2, 1, NO_CLASS]), 1, None).tolist() == [True, False, False]
    assert is_fooled(np.array([2, 1, NO_CLASS]), 1, 2).tolist() == [True, False, False]
