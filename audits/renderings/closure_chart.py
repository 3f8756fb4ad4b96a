"""The closure curve: how many brackets were closed by then, over the seconds of computing, and by which method."""

from itertools import pairwise

from markupsafe import Markup

from audits.document.closure import Closure, ClosurePoint
from audits.document.report import Report
from audits.renderings.drawing import Axis, Chart, Plane, stretched
from audits.renderings.words import duration, share


def has_closure_curve(report: Report) -> bool:
    """Tells whether there is a curve to draw: both ends were looked for, at any distance, and that took some time."""
    closure = report.summary.closure
    if closure is None or report.threat.epsilon is not None:  # asked at a radius, nobody looks for both ends
        return False
    return len(closure.curve) > 1 and closure.curve[-1].seconds > 0


def closure_chart(report: Report) -> Markup:
    closure = report.summary.closure
    assert closure is not None  # `has_closure_curve` was asked
    x = Axis.up_to("seconds of computing, all methods together", [point.seconds for point in closure.curve])
    plane = Plane(x, Axis("brackets closed", 0.0, 1.0, is_share=True))
    steps = [spot for before, after in pairwise(closure.curve) for spot in _step(before, after)]
    parts = [stretched([plane.line(steps, "proof")])]
    return Chart("closure", "Brackets closed over time", _said(closure), plane).svg(parts)


def _step(before: ClosurePoint, after: ClosurePoint) -> list[tuple[float, float]]:
    """A method's brackets count from its end."""
    return [(before.seconds, before.share), (after.seconds, before.share), (after.seconds, after.share)]


def _said(closure: Closure) -> str:
    told = (f"{share(p.share)} after {duration(p.seconds)}, by {p.method}." for p in closure.curve[1:])
    return "Share of the samples whose two ends lie within a tenth of each other. " + " ".join(told)
