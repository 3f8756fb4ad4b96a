"""How the distance that each attack found fell while it asked: a curve still falling at its end asks for more."""

from collections.abc import Sequence

from markupsafe import Markup

from audits.document.report import Effort, Report
from audits.renderings.drawing import Axis, Chart, Plane, joined, stretched
from audits.renderings.words import at_most, count, norm, share

_STYLES = 5  # dash patterns in the style sheet
_GAP = 0.065  # between names, in parts of the height


def distance_chart(report: Report) -> Markup:
    y = Axis.up_to(f"median distance found ({norm(report)})", (v for e in report.efforts for _, v in _distances(e)))
    curves = [(effort, _distances(effort)) for effort in report.efforts]
    told = (f"{e.method} reaches {at_most(line[-1][1])} after {count(line[-1][0])}." for e, line in curves if line)
    said = "Median over the samples of the smallest distance found so far. " + " ".join(told)
    return _chart(Chart("distance", "Distance against queries", said, Plane(_asked(report), y)), curves)


def found_chart(report: Report) -> Markup:
    y = Axis("samples broken", 0.0, 1.0, is_share=True)
    curves = [(effort, [(p.queries, p.found) for p in effort.points]) for effort in report.efforts]
    told = (f"{e.method} breaks {share(line[-1][1])} after {count(line[-1][0])}." for e, line in curves if line)
    said = "Share of the samples for which the attack has found a point. " + " ".join(told)
    return _chart(Chart("found", "Samples broken against queries", said, Plane(_asked(report), y)), curves)


def _asked(report: Report) -> Axis:
    most = max(point.queries for effort in report.efforts for point in effort.points)
    return Axis("queries and gradients a sample", 1.0, float(max(most, 10)), is_log=True)


def _distances(effort: Effort) -> list[tuple[int, float]]:
    return [(p.queries, p.median_distance) for p in effort.points if p.median_distance is not None]


def _chart(chart: Chart, curves: Sequence[tuple[Effort, list[tuple[int, float]]]]) -> Markup:
    plane = chart.plane
    lines = [
        plane.line([(float(n), v) for n, v in line], f"attack-{i % _STYLES}") for i, (_, line) in enumerate(curves)
    ]
    ends = [(effort.method, i % _STYLES, line[-1]) for i, (effort, line) in enumerate(curves) if line]
    return chart.svg([stretched(lines), _names(plane, ends)])


def _names(plane: Plane, ends: Sequence[tuple[str, int, tuple[int, float]]]) -> Markup:
    """At the right, each beside the end of its curve, moved apart where they would touch."""
    wanted = sorted((1 - plane.y.part(value), name, style) for name, style, (_, value) in ends)
    places: list[float] = []
    for at, _, _ in wanted:
        places.append(max(at, places[-1] + _GAP) if places else at)
    if places and (over := places[-1] - 1) > 0:
        places = [place - over for place in places]
    return joined(
        Markup(
            '<svg class="swatch" x="100%" y="{1:.4g}%"><line class="line attack-{0}" x1="6" x2="34"/></svg>'
            '<text class="name" x="100%" dx="40" y="{1:.4g}%" dy=".35em">{2}</text>'
        ).format(style, 100 * place, name)
        for place, (_, name, style) in zip(places, wanted, strict=True)
    )
