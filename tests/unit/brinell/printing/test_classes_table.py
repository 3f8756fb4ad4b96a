"""What is read on a terminal about classes: of queries, and never of how far something is."""

import pytest

from brinell.printing.classes_table import are_about_classes, is_about_classes, print_classes, print_classes_summary
from tests.unit.brinell.stand_in import SUMMARY, finding

GRAY = finding(0, label=0, predicted=0, kind="fooled", norm="none", value=2.0, queries=2, details={})
FOOLED = finding(1, label=1, predicted=0, kind="fooled", norm="none", value=431.0, queries=431, details={"region": 4})
MISSED = finding(
    2, label=2, predicted=0, kind="abstained", norm="none", value=None, queries=9984, details={"reason": "not_found"}
)


def test_each_class_has_a_line_and_plain_gray_is_told_by_name(capsys):
    print_classes([GRAY, FOOLED, MISSED], ("cat", "dog", "owl"))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:4] == [
        ["class", "called", "found", "queries"],
        ["0", "cat", "plain", "gray", "2"],
        ["1", "dog", "fooled", "431"],
        ["2", "owl", "not", "found", "9984"],
    ]
    assert lines[4][-3:] == ["answered", "with", "cat."]


def test_a_class_that_shares_the_lead_at_gray_and_was_searched_for_is_no_plain_gray(capsys):
    print_classes([GRAY | {"value": 6.0, "queries": 6, "details": {"region": 4}}])
    assert capsys.readouterr().out.splitlines()[1].split() == ["0", "0", "fooled", "6"]


def test_the_summary_says_what_it_measures_and_that_this_is_no_robustness(capsys):
    rate = {"value": 2 / 3, "low": 0.094, "high": 0.992}
    summary = SUMMARY | {"labels": None, "success_rate": rate, "warnings": ["plateau"]}
    print_classes_summary({"summary": summary}, "input_free")
    told = capsys.readouterr().out
    assert "classes reached: 66.7% (95% interval 9.4% to 99.2%)" in told
    assert "nothing of robustness" in told and "plateau" in told
    assert "distance" not in told and "r*" not in told and "None" not in told


def test_where_no_class_was_reached_nothing_is_said_to_be_answered(capsys):
    rate = {"value": 0.0, "low": 0.0, "high": 0.7}
    print_classes_summary({"summary": SUMMARY | {"labels": None, "success_rate": rate}}, "input_free")
    told = capsys.readouterr().out
    assert "classes reached: 0.0%" in told and "are answered" not in told


@pytest.mark.parametrize(
    ("request_", "is_so"),
    [({"samples_id": None}, True), ({"samples_id": "smp_a"}, False), ({"property": {}}, False)],
    ids=["classes", "samples", "a property"],
)
def test_a_job_about_classes_is_one_without_samples(request_, is_so):
    assert is_about_classes({"request": request_}) is is_so


@pytest.mark.parametrize(
    ("found", "is_so"),
    [([GRAY, MISSED], True), ([], False), ([finding(0)], False), ([finding(0, label=-1, norm="none")], False)],
    ids=["classes", "nothing", "a sample", "a property"],
)
def test_findings_about_classes_are_told_from_others(found, is_so):
    assert are_about_classes(found) is is_so
