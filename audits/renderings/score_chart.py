"""CLEVER against the distance that an attack found: above the diagonal the estimate is proven too high."""

from collections.abc import Sequence
from statistics import median
from typing import Literal

from markupsafe import Markup

from audits.document.report import Report, SampleRow
from audits.renderings.drawing import Axis, Chart, Plane, joined, nothing, stretched
from audits.renderings.words import at_most, norm, number

FEW = 60  # samples up to which intervals are drawn


def scored(report: Report) -> list[SampleRow]:
    """The samples that have a CLEVER score and a found distance."""
    return [row for row in report.samples if row.clever is not None and row.upper is not None]


def above(rows: Sequence[SampleRow], score: Literal["clever", "clever_max"]) -> int:
    """On how many samples the score is larger than a distance at which the model is fooled."""
    return sum((getattr(row, score) or 0.0) > (row.upper or 0.0) for row in rows)


def median_ratio(rows: Sequence[SampleRow]) -> float | None:
    ratios = [row.clever / row.upper for row in rows if row.clever is not None and row.upper]
    return median(ratios) if ratios else None


def score_chart(report: Report) -> Markup:
    rows = scored(report)
    every = [value for row in rows for value in (row.upper, row.clever, row.clever_max) if value is not None]
    if len(rows) <= FEW:
        every += [row.clever_interval[1] for row in rows if row.clever_interval]
    x, y = Axis.up_to(f"distance found ({norm(report)})", every), Axis.up_to("score", every)
    plane, end = Plane(x, y), x.high
    too_high = stretched(
        [plane.area([(0.0, 0.0), (0.0, end)], [(0.0, 0.0), (end, end)], "beyond"), _diagonal(plane, end)]
    )
    words = Markup('<text class="hint" x="0" dx=".8em" y="0" dy="1.5em">estimate proven too high</text>')
    marks = joined(_sample(row, plane, has_whisker=len(rows) <= FEW) for row in rows)
    return Chart("scores", "CLEVER against the distance found", _said(rows), plane).svg([too_high, words, marks])


def _diagonal(plane: Plane, end: float) -> Markup:
    return plane.line([(0.0, 0.0), (end, end)], "diagonal")


def _sample(row: SampleRow, plane: Plane, *, has_whisker: bool) -> Markup:
    assert row.upper is not None  # `scored` takes no others
    assert row.clever is not None
    whisker = (
        plane.stem(row.upper, *row.clever_interval, "whisker") if has_whisker and row.clever_interval else nothing()
    )
    plain_max = plane.mark("maximum", row.upper, row.clever_max) if row.clever_max is not None else nothing()
    told = (
        f"row {row.index}: CLEVER {number(row.clever)}, plain maximum {number(row.clever_max)}, "
        f"found {at_most(row.upper)} ({row.upper_by})"
    )
    score = plane.mark("estimate", row.upper, row.clever)
    return Markup("<g><title>{}</title>{}{}{}</g>").format(told, whisker, plain_max, score)


def _said(rows: list[SampleRow]) -> str:
    return (
        f"Of {len(rows)} samples with both numbers, CLEVER lies above the found distance on {above(rows, 'clever')}, "
        f"and the score with the plain largest gradient norm on {above(rows, 'clever_max')}. There the estimate is "
        "proven too high."
    )
