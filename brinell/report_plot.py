"""CLEVER against the distance an attack found, as inline SVG that takes its colours from the page."""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

SIDE, LEFT, BOTTOM = 400.0, 64.0, 52.0
TOP, RIGHT = 16.0, 16.0


class Point(NamedTuple):
    score: float
    found: float
    title: str


def scatter(points: Sequence[Point]) -> str:
    """A square plot: found distance to the right, CLEVER upwards. Above the diagonal an estimate is too large."""
    top = max((max(point.score, point.found) for point in points), default=1.0)
    step = _round_step(top)
    end = step * math.ceil(top / step)
    place = _Place(end)
    ticks = [step * number for number in range(round(end / step) + 1)]
    return "\n".join(
        [
            f'<svg viewBox="0 0 {LEFT + SIDE + RIGHT:g} {TOP + SIDE + BOTTOM:g}" role="img" '
            'aria-label="CLEVER score against PGD distance, one dot a sample">',
            f'<path class="above" d="M{place.x(0)} {place.y(0)}V{place.y(end)}H{place.x(end)}Z"/>',
            *(_tick(place, tick, end) for tick in ticks),
            f'<path class="diagonal" d="M{place.x(0)} {place.y(0)}L{place.x(end)} {place.y(end)}"/>',
            *(_dot(place, point) for point in points),
            f'<text x="{LEFT + SIDE / 2:g}" y="{TOP + SIDE + 42:g}" text-anchor="middle">distance PGD found</text>',
            f'<text transform="translate(16 {TOP + SIDE / 2:g}) rotate(-90)" text-anchor="middle">CLEVER score</text>',
            f'<text class="hint" x="{LEFT + 10:g}" y="{TOP + 20:g}">estimate too large</text>',
            "</svg>",
        ]
    )


class _Place:
    """Values to picture coordinates."""

    def __init__(self, end: float) -> None:
        self._scale = SIDE / end

    def x(self, value: float) -> str:
        return f"{LEFT + value * self._scale:.1f}"

    def y(self, value: float) -> str:
        return f"{TOP + SIDE - value * self._scale:.1f}"


def _tick(place: _Place, value: float, end: float) -> str:
    x, y = place.x(value), place.y(value)
    return (
        f'<path class="grid" d="M{x} {place.y(0)}V{place.y(end)}M{place.x(0)} {y}H{place.x(end)}"/>'
        f'<text x="{x}" y="{TOP + SIDE + 20:g}" text-anchor="middle">{value:g}</text>'
        f'<text x="{LEFT - 8:g}" y="{y}" dy="0.35em" text-anchor="end">{value:g}</text>'
    )


def _dot(place: _Place, point: Point) -> str:
    title = f"{point.title}: CLEVER {point.score:.4g}, found {point.found:.4g}"
    return (
        f'<circle cx="{place.x(point.found)}" cy="{place.y(point.score)}" r="5"><title>{escape(title)}</title></circle>'
    )


def _round_step(top: float) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides [0, top] in four to ten."""
    rough = (top or 1.0) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    return max(step * power for step in (1, 2, 5) if step * power <= rough)
