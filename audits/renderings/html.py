"""The report as one HTML file that needs nothing from anywhere, readable on paper, by ear and without scripts.

What strangers named is escaped wherever it stands, and the page forbids itself every script and style but its own.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from audits.document.estimates import title
from audits.document.report import Report
from audits.renderings import cells, identity, outline, words
from audits.renderings.brackets_chart import brackets_chart, brackets_legend, brackets_notices
from audits.renderings.closure_chart import closure_chart, has_closure_curve
from audits.renderings.effort_chart import distance_chart, found_chart
from audits.renderings.envelope_chart import envelope_chart
from audits.renderings.pictures import triptychs
from audits.renderings.score_chart import (
    above,
    has_intervals,
    has_plain,
    median_ratio,
    plain,
    plain_above,
    score_chart,
    score_names,
    scored,
    scores,
)


@dataclass(frozen=True)
class Section:
    """A section is one part of the page; `name` is its anchor and its template."""

    name: str
    title: str
    is_shown: Callable[[Report], bool] = lambda _: True


SECTIONS = (
    Section("rules", "The policy, rule by rule", lambda report: bool(report.rules)),
    Section("alarms", "Alarms"),
    Section("numbers", "Key figures"),
    Section("brackets", "Brackets", lambda report: bool(report.samples)),
    Section("closure", "Closed brackets", has_closure_curve),
    Section("envelope", "Robust accuracy", lambda report: any(p.certified or p.empirical for p in report.envelope)),
    Section("effort", "Effort of the attacks", lambda report: bool(report.efforts)),
    Section("scores", "Scores", lambda report: bool(scores(report))),
    Section("baseline", "Against the baseline", lambda report: bool(report.comparisons)),
    Section("gallery", "Gallery", lambda report: report.gallery is not None and bool(report.gallery.pictures)),
    Section("limitations", "What this audit does not say"),
    Section("methods", "Methods"),
    Section("samples", "Samples", lambda report: bool(report.samples)),
    Section("provenance", "Settings and provenance"),
)
_VIEWS: dict[str, Any] = {
    "outline": outline,
    "identity": identity,
    "cells": cells,
    "brackets_chart": brackets_chart,
    "brackets_legend": brackets_legend,
    "brackets_notices": brackets_notices,
    "closure_chart": closure_chart,
    "envelope_chart": envelope_chart,
    "distance_chart": distance_chart,
    "found_chart": found_chart,
    "score_chart": score_chart,
    "score_names": score_names,
    "scores": scores,
    "scored": scored,
    "above": above,
    "plain": plain,
    "plain_above": plain_above,
    "has_intervals": has_intervals,
    "has_plain": has_plain,
    "median_ratio": median_ratio,
    "title": title,
    "triptychs": triptychs,
    "w": words,
}


def render(report: Report) -> str:
    style, script = _file("style.css"), _file("sorting.js")
    return (
        _environment()
        .get_template("page.html")
        .render(
            report=report,
            sections=[section for section in SECTIONS if section.is_shown(report)],
            style=Markup(style),
            script=Markup(script),
            policy=f"default-src 'none'; img-src data:; style-src {_digest(style)}; script-src {_digest(script)}",
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("audits.renderings"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(_VIEWS)
    return environment


def _shown(value: Any) -> Any:
    """Every value on its way into the page; markup is ours and stays."""
    if value is None:
        return words.NOTHING
    return words.plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _file(name: str) -> str:
    return files("audits.renderings").joinpath("templates", name).read_text(encoding="utf-8")


def _digest(content: str) -> str:
    """The source expression that allows exactly this text (CSP, W3C, 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode('ascii')}'"
