"""Every sample's bracket, the nearest found distance to the left: certified below, found above."""

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from algorithms.seam.claims import Kind
from algorithms.seam.labeling import NO_CLASS
from audits.document.estimates import title
from audits.document.report import Report
from audits.document.rows import SampleRow
from audits.renderings.cells import estimating, is_contradicted, is_wrong
from audits.renderings.drawing import Axis, Chart, Plane, joined
from audits.renderings.words import at_least, at_most, many, norm, number
from jobs.states import JobState

MANY = 80  # samples from which marks shrink and scores are left to the table
_FINDING = (Kind.UPPER_BOUND, "exact")
_SIGNS = ("proof", "witness", "estimate", "wrong", "open", "broken")


def brackets_chart(report: Report) -> Markup:
    rows = sorted(report.samples, key=_order)
    plane = Plane(
        Axis("samples, easiest to break first", 0.0, 1.0, is_share=True),
        Axis.up_to(f"distance ({norm(report)})", _distances(report)),
    )
    is_dense = len(rows) > MANY
    samples = joined(_sample(row, (i + 0.5) / len(rows), plane, is_dense=is_dense) for i, row in enumerate(rows))
    parts = [Markup('<g class="{}">{}</g>').format("dense" if is_dense else "", samples)]
    if report.threat.epsilon is not None:
        parts.append(plane.across(report.threat.epsilon, f"ε = {number(report.threat.epsilon)}", "limit"))
    return Chart("brackets", "Bracket of every sample", _said(report), plane).svg(parts)


def brackets_legend(report: Report) -> list[str]:
    """Names the marks that the chart shows, in the order of a legend."""
    rows = report.samples
    shown = {sign for row in rows for sign in _signs(row, is_dense=len(rows) > MANY)}
    return [sign for sign in _SIGNS if sign in shown]


def brackets_notices(report: Report) -> Iterator[str]:
    """Says what no bracket of the chart has."""
    shown = brackets_legend(report)
    if set(shown) == {"wrong"}:
        yield "All samples are wrong before any change: nothing was left to attack or to certify."
        return
    if "proof" not in shown:
        nearer = " below the points found: the true distances may be smaller than every one of them"
        yield (
            "No certificate says anything about these samples, so nothing is proven"
            f"{nearer if 'witness' in shown else ''}."
        )
    if "witness" not in shown:
        are_attacked = any(job.proves in _FINDING and job.state is JobState.SUCCEEDED for job in report.jobs)
        looked = "found a point. That is no proof of robustness" if are_attacked else "looked for points"
        yield f"No attack {looked}."


def _order(row: SampleRow) -> tuple[float, float, int]:
    return (math.inf if row.upper is None else row.upper, row.lower or 0.0, row.index)


def _distances(report: Report) -> list[float]:
    drawn = [value for row in report.samples for value in (row.lower, row.upper, *_scores(row)) if value is not None]
    return drawn if report.threat.epsilon is None else [*drawn, report.threat.epsilon]


def _signs(row: SampleRow, *, is_dense: bool) -> list[str]:
    if is_wrong(row):
        return ["wrong"]
    signs = ["proof"] if row.lower is not None else []
    signs.append("open" if row.upper is None else "witness")
    if _scores(row) and not is_dense:
        signs.append("estimate")
    return [*signs, "broken"] if is_contradicted(row) else signs


def _sample(row: SampleRow, at: float, plane: Plane, *, is_dense: bool) -> Markup:
    signs = _signs(row, is_dense=is_dense)
    top = plane.y.high
    heights: dict[str, Sequence[float | None]] = {
        "proof": [row.lower],
        "witness": [row.upper],
        "estimate": _scores(row),
        "wrong": [0.0],
        "open": [top],
    }
    parts = [] if "wrong" in signs else [_stem(row, at, plane)]
    size = "-small" if is_dense else ""
    parts += [plane.mark(s, at, height or 0.0, size=size) for s in signs if s in heights for height in heights[s]]
    return Markup("<g><title>{}</title>{}</g>").format(_told(row), joined(parts))


def _stem(row: SampleRow, at: float, plane: Plane) -> Markup:
    """Between what is proven and what is found; without a certificate nothing is known below."""
    upper = plane.y.high if row.upper is None else row.upper
    style = (
        "broken" if is_contradicted(row) else "unproven" if row.lower is None else "open" if row.upper is None else ""
    )
    return plane.stem(at, row.lower or 0.0, upper, style)


def _told(row: SampleRow) -> str:
    if is_wrong(row):
        read_as = "no class" if row.predicted == NO_CLASS else row.predicted
        return f"row {row.index}: {row.label} read as {read_as} before any change"
    lower = f"certified to {at_least(row.lower)} ({row.lower_by})" if row.lower is not None else "no certificate"
    upper = f"broken at {at_most(row.upper)} ({row.upper_by})" if row.upper is not None else "no point found"
    said = ((name, row.value_of(name)) for name in estimating([row], Kind.ESTIMATE))
    scores = "".join(f", {title(name)} estimates {number(value)}" for name, value in said if value is not None)
    return f"row {row.index}, label {row.label}: {lower}, {upper}{scores}"


def _scores(row: SampleRow) -> list[float]:
    values = (row.value_of(name) for name in estimating([row], Kind.ESTIMATE))
    return [value for value in values if value is not None]


def _said(report: Report) -> str:
    rows: Sequence[SampleRow] = report.samples
    low, high = report.summary.median_lower_bound, report.summary.median_upper_bound
    parts = [
        f"One vertical line for each of {many(len(rows), 'sample')}, from its certified lower bound to the distance of "
        "the nearest adversarial point found.",
        f"{many(sum(is_wrong(row) for row in rows), 'sample')} wrong before any change,",
        f"{sum(row.upper is None for row in rows)} without a point found,",
        f"{sum(row.lower is None for row in rows)} without a certificate.",
        "" if low is None else f"Median certified distance {at_least(low)}.",
        "" if high is None else f"Median found distance {at_most(high)}.",
        "All values are in the table of samples.",
    ]
    return " ".join(filter(None, parts))
