"""A score against the distance that an attack found: above the diagonal the estimate is proven too high."""

from collections.abc import Sequence
from statistics import median

from markupsafe import Markup

from algorithms.seam.claims import Kind
from audits.document.estimates import title
from audits.document.report import Report
from audits.document.rows import SampleRow
from audits.renderings.cells import estimating
from audits.renderings.drawing import Axis, Chart, Plane, joined, nothing, stretched
from audits.renderings.words import at_most, norm, number

FEW = 60  # samples up to which intervals are drawn
PLAIN = "max_sample_score"  # the figure of a score from the largest value seen, without the fit behind it


def scores(report: Report) -> list[str]:
    """Names the methods whose scores can be held against found distances."""
    return [score for score in estimating(report.samples, Kind.ESTIMATE) if scored(report.samples, score)]


def score_names(report: Report) -> str:
    return ", ".join(map(title, estimating(report.samples, Kind.ESTIMATE)))


def scored(rows: Sequence[SampleRow], score: str) -> list[SampleRow]:
    """Picks the samples that have this score and a found distance."""
    return [row for row in rows if row.value_of(score) is not None and row.upper is not None]


def plain(row: SampleRow, score: str) -> float | None:
    """Returns the score with the plain largest value seen instead of the fitted end point, where it tells that."""
    return row.estimates[score].figures.get(PLAIN) if score in row.estimates else None


def has_plain(rows: Sequence[SampleRow], score: str) -> bool:
    return any(plain(row, score) is not None for row in rows)


def has_intervals(rows: Sequence[SampleRow], score: str) -> bool:
    """Tells whether intervals are drawn: of few samples, and of a score that has any."""
    return len(rows) <= FEW and any(row.estimates[score].interval for row in rows if score in row.estimates)


def above(rows: Sequence[SampleRow], score: str) -> int:
    """Counts the samples whose score is larger than a distance at which the model is fooled."""
    return sum((row.value_of(score) or 0.0) > (row.upper or 0.0) for row in rows)


def plain_above(rows: Sequence[SampleRow], score: str) -> int:
    """Counts the samples whose score without its fit is larger."""
    return sum((plain(row, score) or 0.0) > (row.upper or 0.0) for row in rows)


def median_ratio(rows: Sequence[SampleRow], score: str) -> float | None:
    pairs = [(row.value_of(score), row.upper) for row in rows]
    ratios = [value / upper for value, upper in pairs if value is not None and upper]
    return median(ratios) if ratios else None


def score_chart(report: Report, score: str) -> Markup:
    rows = scored(report.samples, score)
    every = [v for row in rows for v in (row.upper, row.value_of(score), plain(row, score)) if v is not None]
    if len(rows) <= FEW:
        every += [interval[1] for row in rows if (interval := row.estimates[score].interval)]
    x, y = Axis.up_to(f"distance found ({norm(report)})", every), Axis.up_to("score", every)
    plane, end = Plane(x, y), x.high
    too_high = stretched(
        [plane.area([(0.0, 0.0), (0.0, end)], [(0.0, 0.0), (end, end)], "beyond"), _diagonal(plane, end)]
    )
    words = Markup('<text class="hint" x="0" dx=".8em" y="0" dy="1.5em">estimate proven too high</text>')
    marks = joined(_sample(row, score, plane, has_whisker=len(rows) <= FEW) for row in rows)
    heading = f"{title(score)} against the distance found"
    return Chart(f"scores-{score}", heading, _said(rows, score), plane).svg([too_high, words, marks])


def _diagonal(plane: Plane, end: float) -> Markup:
    return plane.line([(0.0, 0.0), (end, end)], "diagonal")


def _sample(row: SampleRow, score: str, plane: Plane, *, has_whisker: bool) -> Markup:
    estimate, unfitted = row.estimates[score], plain(row, score)
    assert row.upper is not None  # `scored` takes no others
    assert estimate.value is not None
    whisker = plane.stem(row.upper, *estimate.interval, "whisker") if has_whisker and estimate.interval else nothing()
    plain_max = plane.mark("maximum", row.upper, unfitted) if unfitted is not None else nothing()
    beside = f", plain maximum {number(unfitted)}" if unfitted is not None else ""
    told = (
        f"row {row.index}: {title(score)} {number(estimate.value)}{beside}, found {at_most(row.upper)} ({row.upper_by})"
    )
    mark = plane.mark("estimate", row.upper, estimate.value)
    return Markup("<g><title>{}</title>{}{}{}</g>").format(told, whisker, plain_max, mark)


def _said(rows: Sequence[SampleRow], score: str) -> str:
    counted = f", and the score with the plain largest gradient norm on {plain_above(rows, score)}"
    return (
        f"Of {len(rows)} samples with both numbers, {title(score)} lies above the found distance on "
        f"{above(rows, score)}{counted if has_plain(rows, score) else ''}. There the estimate is proven too high."
    )
