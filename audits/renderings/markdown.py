"""The report as a page of Markdown for a pipeline's summary: the verdict first, and only what fits a screen or two."""

import re
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from audits.document.report import Report
from audits.renderings import outline, words

_SIGNS = {"pass": "✅", "fail": "❌", "inconclusive": "❔", "warn": "⚠️", "noted": "▫️", "none": "▫️"}
_EVIDENCE = {
    "proof": "proof",
    "witness": "found point",
    "estimate": "estimate, no bound",
    "smoothed": "proof about another model",
    "": "count",
}
_SPECIAL = re.compile(r"([\\`*_\[\]#!|~$])")  # what GitHub and GitLab give a meaning
_LINKS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)  # where addresses and mentions begin


def render(report: Report) -> str:
    page = _environment().get_template("summary.md").render(report=report, signs=_SIGNS, evidence=_EVIDENCE)
    return re.sub(r"\n{3,}", "\n\n", page)


@cache
def _environment() -> Environment:
    environment = Environment(  # not autoescape, which is for HTML: `_shown` escapes every value
        loader=PackageLoader("audits.renderings"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.globals.update(outline=outline, w=words)
    return environment


def _shown(value: Any) -> str:
    """No value can begin a tag, a link, a table cell, a mention or a line of its own."""
    if value is None:
        return words.NOTHING
    text = words.plain(str(value)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LINKS.sub("&#8203;", _SPECIAL.sub(r"\\\1", text))
