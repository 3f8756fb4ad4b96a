"""The document itself: it survives JSON, and its schema is closed."""

import pytest

from algorithms.seam.claims import Kind
from audits.document.report import FORMAT, MethodResult, Report
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
