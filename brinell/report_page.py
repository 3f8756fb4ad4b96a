"""A page about one CLEVER job and one attack: a plot and a table in one file, readable in light and dark."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import NamedTuple

from brinell.records import Finding
from brinell.report_plot import Point, scatter
from brinell.scores_table import interval, number, status
from brinell.watching import Evaluation


class Row(NamedTuple):
    score: Finding
    attack: Finding


def report_page(name: str, clever: Evaluation, attack: Evaluation) -> str:
    """HTML that needs nothing from anywhere. The two evaluations are of the same samples."""
    rows = [Row(*pair) for pair in zip(clever.findings, attack.findings, strict=True)]
    template = Template(files("brinell").joinpath("report_page.html").read_text(encoding="utf-8"))
    return template.substitute(
        name=escape(name),
        facts=_facts(clever, attack),
        plot=scatter(_points(rows)),
        rows="\n".join(map(_html, rows)),
        norm=escape(str(rows[0].score["norm"] if rows else "")),
        versions=escape(_versions(clever)),
    )


def _points(rows: Sequence[Row]) -> list[Point]:
    """Of the samples that have both numbers and were right before any perturbation."""
    return [
        Point(row.score["value"], row.attack["value"], f"sample {row.score['index']}, label {row.score['label']}")
        for row in rows
        if row.attack["kind"] == "upper_bound" and row.score["value"] is not None and row.attack["value"] is not None
    ]


def _html(row: Row) -> str:
    score, details = row.score, row.score["details"]
    cells = [
        *(str(score["index"]), str(score["label"]), str(score["predicted"]), number(score["value"])),
        *(interval(details), status(score), number(details.get("max_sample_score")), number(row.attack["value"])),
    ]
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _facts(clever: Evaluation, attack: Evaluation) -> str:
    summary, broken = clever.job["summary"] or {}, attack.job["summary"] or {}
    facts = {"samples": str(summary.get("samples", len(clever.findings)))}
    if accuracy := summary.get("clean_accuracy"):
        facts["clean accuracy"] = (
            f"{accuracy['value']:.0%} (95% interval {accuracy['low']:.0%} to {accuracy['high']:.0%})"
        )
    for title, value in (("median CLEVER score", summary.get("value")), ("median PGD distance", broken.get("value"))):
        if value:
            facts[title] = number(value["median"])
    return "".join(f"<div><dt>{escape(title)}</dt><dd>{escape(fact)}</dd></div>" for title, fact in facts.items())


def _versions(clever: Evaluation) -> str:
    versions = (clever.job["summary"] or {}).get("versions", {})
    return ", ".join(f"{name} {version}" for name, version in versions.items())
