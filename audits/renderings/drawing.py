"""Charts as inline SVG that keep their type size at any width: everything is placed in percent, nothing is scaled.

Colors and strokes come from the page's style sheet, by the class names `proof`, `witness` and `estimate`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from audits.renderings.words import number

_SIDE = 1000  # of the stretched canvas that lines and areas are drawn on


@dataclass(frozen=True)
class Axis:
    """An axis has values from `low` to `high` along one side, on a logarithmic scale where `is_log`."""

    label: str
    low: float
    high: float
    is_log: bool = False
    is_share: bool = False

    @classmethod
    def up_to(cls, label: str, values: Iterable[float]) -> "Axis":
        """Makes an axis from 0 to a round number that has room for all values."""
        top = max(values, default=0.0) or 1.0
        half = _round_step(top / 5) / 2
        return cls(label, 0.0, half * math.ceil(top * 1.02 / half))

    def part(self, value: float) -> float:
        """Returns 0 at `low`, 1 at `high`; values outside stay at the nearer end."""
        low, high, at = (math.log(v) for v in (self.low, self.high, value)) if self.is_log else (
            self.low, self.high, value,
        )  # fmt: skip
        return min(1.0, max(0.0, (at - low) / (high - low)))

    def ticks(self) -> list[tuple[float, str]]:
        """Lists where the axis has a mark, as (value, words)."""
        if self.is_log:
            powers = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
            some = powers[:: 1 + len(powers) // 5]  # more than four would touch on a narrow chart
            return [(10.0**power, f"{10**power:,}".replace(",", "\u202f")) for power in some]
        step = 0.25 if self.is_share else _round_step((self.high - self.low) / 5.5)
        values = [self.low + step * i for i in range(math.floor((self.high - self.low) / step + 1e-9) + 1)]
        return [(value, f"{100 * value:.0f}\u202f%" if self.is_share else number(round(value, 12))) for value in values]


def _round_step(value: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * digit for digit in (1, 2, 5, 10) if power * digit >= value * (1 - 1e-9))


@dataclass(frozen=True)
class Plane:
    """A plane tells where a pair of values lies."""

    x: Axis
    y: Axis

    def left(self, value: float) -> str:
        return f"{100 * self.x.part(value):.4g}%"

    def top(self, value: float) -> str:
        return f"{100 - 100 * self.y.part(value):.4g}%"

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        """Writes path data through (x, y), for `line` and `area`."""
        return "L".join(self._spot(x, y) for x, y in points)

    def _spot(self, x: float, y: float) -> str:
        return f"{_SIDE * self.x.part(x):.5g} {_SIDE - _SIDE * self.y.part(y):.5g}"

    def line(self, points: Sequence[tuple[float, float]], style: str) -> Markup:
        return Markup('<path class="line {}" d="M{}"/>').format(style, self.path(points)) if points else Markup("")

    def area(self, lower: Sequence[tuple[float, float]], upper: Sequence[tuple[float, float]], style: str) -> Markup:
        """Fills what lies between two lines that run in the same direction."""
        outline = self.path([*lower, *reversed(upper)])
        return Markup('<path class="area {}" d="M{}Z"/>').format(style, outline) if outline else Markup("")

    def mark(self, name: str, x: float, y: float, *, size: str = "") -> Markup:
        """Sets a mark that the page defines once: `proof`, `witness`, `estimate`, ...; size: `-small` or none."""
        return Markup('<use href="#mark-{0}{3}" class="mark {0}" x="{1}" y="{2}"/>').format(
            name, self.left(x), self.top(y), size
        )

    def stem(self, x: float, from_y: float, to_y: float, style: str) -> Markup:
        at = self.left(x)
        return Markup('<line class="stem {0}" x1="{1}" x2="{1}" y1="{2}" y2="{3}"/>').format(
            style, at, self.top(from_y), self.top(to_y)
        )

    def across(self, y: float, words: str, style: str) -> Markup:
        """Draws a level, with its name above it at the left."""
        return Markup(
            '<line class="level {0}" x1="0" x2="100%" y1="{1}" y2="{1}"/>'
            '<text class="{0}" x="0" y="{1}" dx=".4em" dy="-.45em">{2}</text>'
        ).format(style, self.top(y), words)

    def down(self, x: float, words: str, style: str) -> Markup:
        """Draws a value of x, with its name beside its top."""
        anchor, shift = ("end", "-.4em") if self.x.part(x) > 0.5 else ("start", ".4em")
        return Markup(
            '<line class="level {0}" x1="{1}" x2="{1}" y1="0" y2="100%"/>'
            '<text class="{0}" x="{1}" y="0" dx="{2}" dy="1em" text-anchor="{3}">{4}</text>'
        ).format(style, self.left(x), shift, anchor, words)


def nothing() -> Markup:
    return Markup("")


def joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def stretched(parts: Iterable[Markup]) -> Markup:
    """Makes a canvas for lines and areas: it fills the chart, and strokes keep their width."""
    return Markup(
        '<svg class="canvas" viewBox="0 0 {0} {0}" preserveAspectRatio="none" width="100%" height="100%">{1}</svg>'
    ).format(_SIDE, joined(parts))


@dataclass(frozen=True)
class Chart:
    """A chart `says` what a reader who cannot see it should know."""

    name: str
    title: str
    says: str
    plane: Plane

    def svg(self, parts: Iterable[Markup]) -> Markup:
        return Markup(
            '<svg class="chart {0}" role="img" aria-labelledby="{0}-title {0}-desc">'
            '<title id="{0}-title">{1}</title><desc id="{0}-desc">{2}</desc>{3}{4}{5}</svg>'
        ).format(self.name, self.title, self.says, self._grid(), joined(parts), self._labels())

    def _grid(self) -> Markup:
        plane = self.plane
        return joined(
            Markup('<line class="grid" x1="0" x2="100%" y1="{0}" y2="{0}"/>').format(plane.top(value))
            for value, _ in plane.y.ticks()
        )

    def _labels(self) -> Markup:
        plane = self.plane
        left = (
            Markup('<text class="tick" x="0" dx="-.6em" y="{}" dy=".35em" text-anchor="end">{}</text>').format(
                plane.top(value), words
            )
            for value, words in plane.y.ticks()
        )
        below = (
            Markup('<text class="tick" x="{}" y="100%" dy="1.5em" text-anchor="{}">{}</text>').format(
                plane.left(value), "end" if plane.x.part(value) > 0.99 else "middle", words
            )
            for value, words in plane.x.ticks()
        )
        names = Markup(
            '<text class="axis" x="0" dx="-2.6em" y="0" dy="-1.1em">{}</text>'
            '<text class="axis" x="100%" y="100%" dy="3em" text-anchor="end">{}</text>'
        ).format(plane.y.label, plane.x.label)
        return joined([*left, *below, names])
