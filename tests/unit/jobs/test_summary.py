"""The summary of a job, against numbers worked out by hand."""

from typing import Any

import pytest

from algorithms.mathematics.statistics import clopper_pearson
from algorithms.seam.claims import Finding, Kind
from jobs.admission.admission import admit
from jobs.request import JobRequest
from jobs.summary import Summary, summarize
from tests.jobs_for_tests import finding, ready_card, result, samples_card, spec

MODEL = ready_card()
WRONG = finding(0, Kind.MISCLASSIFIED, 0.0, predicted=2, queries=1, gradients=0)
NO_SCORES = finding(0, Kind.ABSTAINED, None, queries=1, gradients=0, details={"reason": "scores_not_finite"})
NOT_FOUND = finding(0, Kind.ABSTAINED, None, queries=100)
BROKEN = finding(0, Kind.UPPER_BOUND, 0.8)


def summary(*findings: Finding, method: str = "pgd", labelled: bool = True, chunk: int = 2, **changes: Any) -> Summary:
    labels = {"labelled": labelled} if labelled else {"labelled": False, "label_minimum": None, "label_maximum": None}
    asked = spec(MODEL, samples_card(**labels), method={"name": method}, **changes)
    cut = [findings[i : i + chunk] for i in range(0, len(findings), chunk)]
    return summarize(asked, [result((), findings=part) for part in cut])


def test_values_count_a_misclassified_sample_as_nothing_and_leave_out_what_has_no_number() -> None:
    found = summary(WRONG, BROKEN, NOT_FOUND, BROKEN.model_copy(update={"value": 0.4}))
    assert found.counts == {"abstained": 1, "misclassified": 1, "upper_bound": 2}
    assert found.value.model_dump() == pytest.approx({"mean": 0.4, "median": 0.4, "min": 0.0, "max": 0.8})
    assert found.value_correct.model_dump() == pytest.approx({"mean": 0.6, "median": 0.6, "min": 0.4, "max": 0.8})


def test_rates_have_their_exact_intervals() -> None:
    found = summary(WRONG, BROKEN, BROKEN, NOT_FOUND)
    assert found.clean_accuracy.value == 0.75
    assert (found.clean_accuracy.low, found.clean_accuracy.high) == clopper_pearson(3, 4)
    assert found.success_rate.value == pytest.approx(2 / 3)
    assert (found.success_rate.low, found.success_rate.high) == clopper_pearson(2, 3)


@pytest.mark.parametrize("predicted", [1, 2], ids=["arg max is the label", "arg max is another"])
def test_scores_that_are_no_numbers_are_no_right_answer_and_no_attack_was_tried_on_them(predicted: int) -> None:
    found = summary(WRONG, BROKEN, NOT_FOUND, NO_SCORES.model_copy(update={"predicted": predicted}))
    assert found.counts == {"abstained": 2, "misclassified": 1, "upper_bound": 1}
    assert (found.clean_accuracy.value, found.success_rate.value) == (0.5, 0.5)


def test_only_attacks_have_a_success_rate() -> None:
    assert summary(finding(0), method="clever").success_rate is None


def test_a_rate_without_trials_is_none() -> None:
    found = summary(WRONG, WRONG)
    assert (found.success_rate, found.value_correct) == (None, None)
    assert found.clean_accuracy.value == 0.0


def test_without_given_labels_nothing_is_said_of_accuracy() -> None:
    found = summary(BROKEN, NOT_FOUND, labelled=False)
    assert found.labels == "predicted"
    assert (found.clean_accuracy, found.value_correct) == (None, None)
    assert found.success_rate.value == 0.5


def test_costs_add_up_whatever_the_cut() -> None:
    findings = [WRONG, BROKEN, NOT_FOUND, BROKEN, BROKEN]
    found = summary(*findings, chunk=2)
    assert found.queries.model_dump() == {"total": 107, "mean": 21.4, "median": 2, "max": 100, "http_calls": 0}
    assert (found.gradients, found.samples, found.seconds) == (12, 5, 1.5)
    whole = summary(*findings, chunk=5)
    assert whole.model_copy(update={"seconds": 1.5}) == found


def test_chunks_of_unlike_machines_are_all_named() -> None:
    asked = spec(MODEL, samples_card())
    parts = [
        result(
            (0,),
            device="cpu",
            isolation="strict",
            isolation_denied=("user", "net"),
            warnings=("b", "a"),
            versions={"torch": "1"},
            http_calls=2,
        ),
        result((1,), device="cuda", warnings=("a",), versions={"torch": "2", "numpy": "3"}, http_calls=3),
    ]
    found = summarize(asked, parts)
    assert (found.device, found.isolation, found.warnings) == ("cpu, cuda", "basic, strict", ("a", "b"))
    assert found.isolation_denied == ("net", "user")
    assert found.versions == {"numpy": "3", "torch": "1, 2"}
    assert found.queries.http_calls == 5


def test_what_findings_warn_of_is_told_once_and_in_codes() -> None:
    masked = NOT_FOUND.model_copy(update={"details": {"reason": "gradient_masked", "saturated": True}})
    doubtful = finding(1, details={"warnings": ["few_batches", "beyond_box"], "saturated": False})
    coded = finding(2, details={"whole_features_moved": [3]})
    found = summary(
        masked, doubtful, doubtful, coded, NO_SCORES, NOT_FOUND.model_copy(update={"details": {"reason": "budget"}})
    )
    expected = ("beyond_box", "few_batches", "gradient_masked", "saturated", "scores_not_finite")
    assert found.warnings == (*expected, "whole_features_moved")


@pytest.mark.parametrize("listed", ["few_batches", 5, [5, "A sentence.", None, ["x"]]])
def test_a_summary_takes_no_text_for_a_warning(listed: Any) -> None:
    assert summary(finding(0, details={"warnings": listed})).warnings == ()


def test_the_json_of_a_summary_has_the_fields_of_the_contract() -> None:
    shown = summary(BROKEN).model_dump(mode="json")
    assert set(shown) == {
        *("counts", "samples", "labels", "clean_accuracy", "value", "value_correct", "success_rate"),
        *("success_at_queries", "queries_all", "distance_at_queries", "distance_area", "adbd", "adbd_samples"),
        *("queries", "gradients", "seconds", "prepare", "device", "isolation", "isolation_denied"),
        *("versions", "warnings"),
    }


ADBD = [
    ((WRONG, BROKEN, NOT_FOUND, BROKEN.model_copy(update={"value": 0.4}), NO_SCORES), (pytest.approx(0.6), 2)),
    ((WRONG, NOT_FOUND), (None, 0)),
]


@pytest.mark.parametrize(("findings", "told"), ADBD, ids=["some are broken", "none is"])
def test_the_average_decision_boundary_distance_is_that_of_broken_samples(findings: Any, told: Any) -> None:
    found = summary(*findings, method="rays", threat={"norm": "linf"})
    assert (found.adbd, found.adbd_samples) == told


@pytest.mark.parametrize(
    ("method", "threat"), [("rays", {"norm": "linf", "epsilon": 0.9}), ("hopskipjump", {"norm": "linf"})]
)
def test_no_average_is_told_within_an_epsilon_nor_of_other_methods(method: str, threat: dict[str, Any]) -> None:
    found = summary(BROKEN, BROKEN, method=method, threat=threat)
    assert (found.adbd, found.adbd_samples) == (None, None)


def test_a_row_without_a_class_is_not_right_even_by_its_own_prediction() -> None:
    silent = NO_SCORES.model_copy(update={"label": -1, "predicted": -1, "details": {"reason": "no_class"}})
    found = summary(BROKEN, silent, labelled=False)
    assert found.success_rate.value == 1.0
    assert found.warnings == ("no_class",)


def test_of_classes_the_share_that_was_reached_and_the_queries_are_told_and_nothing_of_labels() -> None:
    request = JobRequest.model_validate({"model_id": MODEL.id, "method": {"name": "input_free"}})
    fooled = finding(0, Kind.FOOLED, 100.0, queries=100)
    plain_gray, missed = fooled.model_copy(update={"value": 2.0, "queries": 2}), NOT_FOUND
    no_answer = missed.model_copy(update={"predicted": -1})
    found = summarize(admit(request, MODEL, None), [result((), findings=(plain_gray, fooled, missed, no_answer))])
    assert found.counts == {"abstained": 2, "fooled": 2}
    assert (found.success_rate.low, found.success_rate.high) == clopper_pearson(2, 3)
    assert (found.value.mean, found.queries.total) == (51.0, 302)
    assert (found.labels, found.clean_accuracy, found.value_correct, found.distance_area) == (None, None, None, None)
    assert [rate.value for rate in found.success_at_queries.values()] == [2 / 3] * 7, "by 100 and more"
    assert (found.queries_all.mean, found.queries_all.median) == ((2 + 100 + 10_000) / 3, 100)
    assert found.distance_at_queries is None
