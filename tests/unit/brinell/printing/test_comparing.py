"""Two audits side by side, in sentences that say what follows, how surely, and no more."""

import pytest

from brinell.printing.comparing import Audited, sentences
from tests.reports_for_tests import alarms, comparison, report, sample_row


def told(*, proven=0, measures=("upper",), raised=(), **changes):
    """`proven`: on so many samples our certified bound lies beyond the baseline's adversarial point.

    `raised`: our alarms.
    """
    rows = tuple(sample_row(i).model_copy(update={"lower": 0.1, "upper": 0.5}) for i in range(20))
    ours = tuple(row.model_copy(update={"lower": 0.6}) if row.index < proven else row for row in rows)
    compared = tuple(comparison().model_copy(update={"measure": measure, **changes}) for measure in measures)
    here = report(20, samples=ours, comparisons=compared, alarms=raised).model_dump(mode="json")
    there = report(20, samples=rows, alarms=()).model_dump(mode="json")
    return list(sentences(Audited("model B", here), Audited("model A", there)))


def test_the_winner_is_named_with_how_surely_and_by_how_much():
    first, second, third, *_ = told(larger=17, smaller=2, p_value=0.0007, median_ratio=1.8, low=1.5, high=2.1)
    assert first == "model B is more robust than model A."
    assert "on 17 of 20 samples, nearer on 2" in second
    assert "once in 1,429 times (exact sign test, p = 0.0007)" in second
    assert "1.80 (95% interval 1.50 to 2.10) times that of model A" in third


def test_a_model_that_is_behind_is_told_from_the_other_side():
    first, second, third, *_ = told(larger=2, smaller=17, p_value=0.0007, median_ratio=0.5, low=0.4, high=0.8)
    assert first == "model A is more robust than model B."
    assert second.startswith("For model A")
    assert "2.00 (95% interval 1.25 to 2.50) times that of model B" in third


@pytest.mark.parametrize("severity", ["error", "warning", "note"])
def test_a_model_is_not_called_more_robust_on_distances_that_its_audit_doubts(severity):
    doubt = alarms()[0].model_copy(update={"code": "masked_gradients", "severity": severity})
    ahead, behind = {"larger": 17, "smaller": 2}, {"larger": 2, "smaller": 17}
    first = told(raised=(doubt,), p_value=0.0007, **ahead)[0]
    assert first.startswith(
        "model B is more robust" if severity == "note" else "Attacks had to go farther to fool model B"
    )
    assert ("masked_gradients" in first) == (severity != "note")
    assert told(raised=(doubt,), p_value=0.0007, **behind)[0] == "model A is more robust than model B."


UNDECIDED = {
    "an even split": {"larger": 10, "smaller": 10, "p_value": 1.0},
    "a split that chance makes": {"larger": 12, "smaller": 8, "p_value": 0.5},
}


@pytest.mark.parametrize("split", UNDECIDED.values(), ids=UNDECIDED.keys())
def test_where_chance_explains_it_no_winner_is_named(split):
    first, second, *_ = told(**split)
    assert "cannot tell" in first
    assert second.startswith(
        "By the nearest adversarial point found neither model is clearly ahead: for model B it lies"
    )


def test_how_often_chance_splits_evenly_is_told_in_words():
    assert "would come up most of the time" in told(larger=10, smaller=10, p_value=1.0)[1]


def test_an_interval_without_an_end_is_not_made_up():
    assert "too few samples for an interval" in told(low=None, high=2.0)[2]


def test_without_ratios_the_split_is_all_that_is_told():
    assert not any("in the median" in sentence for sentence in told(median_ratio=None, low=None, high=None))


def test_what_certificates_prove_is_counted_apart_from_what_attacks_suggest():
    sentence = next(sentence for sentence in told(proven=5, measures=("upper", "lower")) if "Proven" in sentence)
    assert "model B is more robust on 5 of 20 samples, model A on 0" in sentence


def test_every_score_is_compared_by_its_name_and_what_else_differs_is_said_once():
    sentences = told(measures=("upper", "clever", "great"), remark="Not only the models differ: pgd is version 2 here.")
    assert sum("the clever estimate is larger" in sentence for sentence in sentences) == 1
    assert sum("the great estimate is larger" in sentence for sentence in sentences) == 1
    assert sentences.count("Not only the models differ: pgd is version 2 here.") == 1


def test_without_certificates_nothing_is_called_proven():
    assert not any("Proven" in sentence for sentence in told(proven=5))


def test_the_price_in_accuracy_is_told():
    assert told()[-1] == "Answers right before any change: model B 90.0%; model A 90.0%."
