"""The report in every form it is kept in. Pure: a document in, bytes out. Only workers do this."""

from collections.abc import Callable

from audits.document.report import Report
from audits.renderings import html, junit, markdown


def as_json(report: Report) -> str:
    return report.model_dump_json()


WRITERS: dict[str, Callable[[Report], str]] = {  # by the names of `report.MEDIA_TYPES`
    "json": as_json,
    "html": html.render,
    "markdown": markdown.render,
    "junit": junit.render,
}


def render(report: Report, form: str) -> bytes:
    """Renders the report as UTF-8. `form` is one of WRITERS."""
    return WRITERS[form](report).encode()
