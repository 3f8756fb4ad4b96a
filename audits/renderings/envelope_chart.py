"""Robust accuracy over the radius: certified below, not broken above, the truth between them."""

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup

from audits.document.report import EnvelopePoint, Report
from audits.renderings.drawing import Axis, Chart, Plane, stretched
from audits.renderings.words import norm, number, share
from jobs.summary import Interval

Line = list[tuple[float, float]]


def envelope_chart(report: Report) -> Markup:
    points = report.envelope
    last = max(point.epsilon for point in points)
    x = Axis(f"radius of the change ({norm(report)})", 0.0, last or 1.0)
    plane = Plane(x, Axis("share of samples right", 0.0, 1.0, is_share=True))
    certified = [(point.epsilon, point.certified) for point in points if point.certified]
    empirical = [(point.epsilon, point.empirical) for point in points if point.empirical]
    parts = [stretched([*_between(plane, points), *_below(plane, certified), *_above(plane, empirical)])]
    if report.threat.epsilon is not None:
        parts.append(plane.down(report.threat.epsilon, f"ε = {number(report.threat.epsilon)}", "limit"))
    return Chart("envelope", "Robust accuracy over the radius", _said(points), plane).svg(parts)


def _below(plane: Plane, points: Sequence[tuple[float, Interval]]) -> list[Markup]:
    return [
        plane.area(_down([(x, i.low) for x, i in points]), _down([(x, i.high) for x, i in points]), "proof"),
        plane.line(_down([(x, i.value) for x, i in points]), "proof"),
    ]


def _above(plane: Plane, points: Sequence[tuple[float, Interval]]) -> list[Markup]:
    return [
        plane.area(_up([(x, i.low) for x, i in points]), _up([(x, i.high) for x, i in points]), "witness"),
        plane.line(_up([(x, i.value) for x, i in points]), "witness"),
    ]


def _between(plane: Plane, points: Sequence[EnvelopePoint]) -> list[Markup]:
    known = [(p.epsilon, p.certified.value, p.empirical.value) for p in points if p.certified and p.empirical]
    return [plane.area(_down([(x, low) for x, low, _ in known]), _up([(x, high) for x, _, high in known]), "unknown")]


def _down(points: Line) -> Line:
    """Steps through falling points that lie nowhere above the curve: what is certified at a radius holds before it."""
    return [spot for (x, _), after in pairwise(points) for spot in ((x, after[1]), after)]


def _up(points: Line) -> Line:
    """Steps that lie nowhere below the curve."""
    return [spot for before, (x, y) in pairwise(points) for spot in (before, (x, before[1]))] + (points[-1:])


def _said(points: Sequence[EnvelopePoint]) -> str:
    every = points[:: max(1, len(points) // 5)]
    told = (f"At {number(p.epsilon)}: certified {_rate(p.certified)}, not broken {_rate(p.empirical)}." for p in every)
    return "The true robust accuracy lies between two falling curves. " + " ".join(told)


def _rate(known: Interval | None) -> str:
    return "unknown" if known is None else share(known.value)
