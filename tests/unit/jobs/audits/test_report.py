"""The document itself: it survives JSON, and its schema is closed."""

import pytest

from jobs.audits.rendering import render
from jobs.audits.report import FORMAT, Report
from tests.reports_for_tests import report


@pytest.mark.parametrize(("count", "image"), [(20, True), (20, False), (500, True)])
def test_a_report_survives_its_json(count, image):
    document = report(count, image=image)
    assert Report.model_validate_json(render(document, "json")) == document


def test_the_schema_names_the_version_and_allows_no_unknown_fields():
    schema = Report.model_json_schema()
    assert schema["properties"]["format"]["const"] == FORMAT
    assert schema["additionalProperties"] is False
