"""What holds of methods about classes beside the laws of all: a finding is of a class, its value what it cost."""

import numpy as np
import pytest

from algorithms.driver.running import Samples
from algorithms.method import Budget
from algorithms.seam.claims import NO_NORM, Kind
from algorithms.threats.threat import Box
from tests.laws.members import SHAPE, N, go, held, samples, truth, undisturbed
from tests.truths import Constant, Linear


def about_classes(method):
    return method.is_about_classes


@held(about_classes)
def test_a_finding_is_of_its_class_and_its_value_is_all_that_it_cost(method, norm):
    model, outcomes = truth(method), undisturbed(method, norm)
    assert [o.finding.index for o in outcomes] == [o.finding.label for o in outcomes] == list(range(N))
    assert {o.finding.norm for o in outcomes} == {NO_NORM}
    for outcome in outcomes:
        finding = outcome.finding
        assert finding.kind is (Kind.ABSTAINED if outcome.x_adv is None else Kind.FOOLED)
        assert finding.value == (None if outcome.x_adv is None else finding.queries)
        if outcome.x_adv is not None:
            assert model.labels(outcome.x_adv[None]) == finding.index


@held(about_classes)
def test_nothing_that_is_told_speaks_of_how_far(method, norm):
    for outcome in undisturbed(method, norm):
        assert not {"trace", "curve", "upper", "lower", "read_as"} & set(outcome.finding.details)


@held(about_classes)
@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in company"])
def test_the_class_of_plain_gray_takes_the_first_row_and_a_last_look(method, norm, alone):
    gray = int(truth(method).labels(np.full((1, *SHAPE), 0.5, np.float32))[0])
    outcomes = go(method, norm, what=samples((gray,)) if alone else None)
    (outcome,) = (o for o in outcomes if o.finding.index == gray)
    assert (outcome.finding.kind, outcome.finding.value, outcome.finding.predicted) == (Kind.FOOLED, 2.0, gray)
    np.testing.assert_array_equal(outcome.x_adv, np.full(SHAPE, 0.5, np.float32))


@held(about_classes)
def test_a_constant_model_is_fooled_into_its_own_class_only(method, norm):
    outcomes = go(method, norm, Constant(np.array([0.5, 0.1, 0.0, -0.1, -0.2]), SHAPE), budget=Budget(None))
    assert [o.finding.kind for o in outcomes] == [Kind.FOOLED] + (N - 1) * [Kind.ABSTAINED]
    assert {o.finding.details["reason"] for o in outcomes[1:]} == {"not_found"}
    assert all("NaN" not in o.finding.model_dump_json() for o in outcomes)


@held(about_classes)
def test_a_tie_reaches_no_class(method, norm):
    outcomes = go(method, norm, Constant(np.zeros(N), SHAPE), samples((1, 2)))
    assert {o.finding.kind for o in outcomes} == {Kind.ABSTAINED}


@held(about_classes)
def test_a_model_that_takes_its_answer_back_is_not_believed(method, norm):
    class SaysSoOnce(Linear):
        """Answers a row that it knows as it answered the first one of all."""

        def scores(self, rows):
            known = {row.tobytes() for earlier in self.queried for row in earlier}
            answer = super().scores(rows)
            is_known = np.array([row.tobytes() in known for row in rows])
            return np.where(is_known[:, None], self.first, answer)

    plain = truth(method)
    model = SaysSoOnce(plain.weights, plain.bias, SHAPE)
    model.first = plain.scores(np.full((1, *SHAPE), 0.5, np.float32))[0]
    for outcome in go(method, norm, model):
        if outcome.finding.index != model.first.argmax():
            assert outcome.finding.kind is Kind.ABSTAINED and outcome.x_adv is None


@held(about_classes)
def test_a_box_whose_sides_differ_is_kept_and_its_middle_is_gray(method, norm):
    lower = np.linspace(-3, 0, 16, dtype=np.float32).reshape(SHAPE)
    upper = np.linspace(-3, 40, 16, dtype=np.float32).reshape(SHAPE)  # one feature has no room
    model, box = truth(method), Box(lower, upper)
    go(method, norm, model, box=box)
    np.testing.assert_array_equal(model.queried[0][0], ((lower.astype(np.float64) + upper) / 2).astype(np.float32))
    assert all(box.contains(rows).all() for rows in model.queried)


@held(about_classes)
def test_where_plain_gray_has_no_class_nothing_is_tried(method, norm):
    outcomes = go(method, norm, Constant(np.full(N, np.nan), SHAPE), Samples(samples().x, (0, 3), labels=None))
    assert {(o.finding.kind, o.finding.details["reason"], o.finding.queries) for o in outcomes} == {
        (Kind.ABSTAINED, "scores_not_finite", 1)
    }
