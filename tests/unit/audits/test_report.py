"""The document itself: it survives JSON, and its schema is closed."""

import json
from pathlib import Path

import pytest

from algorithms.seam.claims import Kind
from audits.document.report import FORMAT, Report
from audits.document.rows import MethodResult
from audits.renderings.render import render
from jobs.summary import NO_ANSWER
from tests.reports_for_tests import report, sample_row


@pytest.mark.parametrize(("count", "image"), [(20, True), (20, False), (500, True)])
def test_a_report_survives_its_json(count, image):
    document = report(count, image=image)
    assert Report.model_validate_json(render(document, "json")) == document


def test_the_schema_names_the_version_and_allows_no_unknown_fields():
    schema = Report.model_json_schema()
    assert schema["properties"]["format"]["const"] == FORMAT
    assert schema["additionalProperties"] is False


def test_scores_that_are_no_numbers_are_no_right_answer() -> None:
    row = sample_row(0)
    assert row.is_correct == (row.label == row.predicted)
    abstained = MethodResult(
        kind=Kind.ABSTAINED, value=None, reason=NO_ANSWER, queries=1, gradients=0, ended="finished"
    )
    unread = row.model_copy(update={"predicted": row.label, "methods": {"pgd": abstained}})
    assert not unread.is_correct


def test_a_report_from_before_estimates_is_read_with_them():
    """Written by the first release: one score and one smoothed certificate, each in columns of its name."""
    text = (Path(__file__).parent / "golden" / "report.json").read_text()
    document = Report.model_validate_json(text)
    first, last = document.samples[0], document.samples[-1]
    assert first.estimates["clever"].value == first.clever == 0.35
    assert first.estimates["clever"].figures["max_sample_score"] == first.clever_max
    assert first.estimates["smoothing"].confidence == first.smoothed_confidence == 0.999
    assert last.estimates == {}, "it is wrong before any change"
    assert document.summary.estimates["clever"].statuses == {"ok": 9}
    assert document.summary.estimates["smoothing"].value == document.summary.smoothed
    assert not any(job.is_baseline for job in document.jobs)
    assert _holds(json.loads(render(document, "json")), json.loads(text)), "what it said stands where it stood"
    assert "Median CLEVER score" in render(document, "html").decode()


def _holds(new: object, old: object) -> bool:
    """Everything in `old` is in `new`, in its place."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and _holds(new[name], value) for name, value in old.items())
    if isinstance(old, list) and isinstance(new, list):
        return len(new) == len(old) and all(map(_holds, new, old))
    return new == old
