"""Where a method may begin that sees no way: what others found, noise, other samples of the upload, the rest.

Rows in the box.
"""

from collections.abc import Iterator

import numpy as np

from algorithms.seam.access import Rows
from algorithms.seam.case import Case
from algorithms.threats.threat import Threat

NOISE_STARTS = 20  # a model that none of them fools is seldom fooled by noise at all: real inputs are worth more
SMALLEST = 0.01  # first scale of the noise around an unbounded sample, as a share of its largest feature
GROWTH = 2.0  # of that scale from draw to draw: the last is some thousand times the sample
LAST_STARTS = 200  # of a sample that noise and upload have not fooled


def noise(case: Case, threat: Threat, rng: np.random.Generator) -> Iterator[Rows]:
    """Draw rows (*shape) anywhere, one after the other."""
    anywhere = AnyRow(case.x, threat)
    for draw in range(NOISE_STARTS):
        yield anywhere.draw(rng, draw)


class AnyRow:
    """AnyRow draws rows like x (*shape) from all over the box; where it is unbounded, from all around x."""

    def __init__(self, x: Rows, threat: Threat) -> None:
        self._x, self._threat = x, threat
        lower, upper = threat.limits(x)
        bounded = np.isfinite(lower) & np.isfinite(upper)
        self._low = np.where(bounded, lower, 0).astype(np.float64)
        self._sides = np.where(bounded, upper, 0).astype(np.float64) - self._low
        self._bounded, self._is_bounded = bounded, bool(bounded.all())

    def draw(self, rng: np.random.Generator, draw: int) -> Rows:
        """Draw a row like x, uniform in the box; where it is unbounded, Gaussian around x at growing scale.

        The scale grows with the number of the draw, and begins small again after so many.
        """
        x = self._x
        row = rng.random(x.shape)
        row *= self._sides
        row += self._low
        normal = rng.standard_normal(x.shape)  # drawn where it is not wanted too: it moves the generator on
        if self._is_bounded:
            return np.asarray(self._threat.clip(row, x))
        scale = SMALLEST * max(1.0, float(np.abs(x).max())) * GROWTH ** (draw % NOISE_STARTS)
        return np.asarray(self._threat.clip(np.where(self._bounded, row, x + scale * normal), x))


def last(case: Case, threat: Threat, rng: np.random.Generator) -> Iterator[Rows]:
    """Try rows (*shape): both ends of a bounded box, then Gaussian around the sample at growing scale, over and over.

    Noise that fills a box of many features is the same gray everywhere, and may lie on one side of a boundary that
    passes the sample closely: the small scales look there. Clipped to the box, the large ones are its random corners.
    """
    lower, upper = (np.broadcast_to(side, case.x.shape) for side in threat.limits(case.x))
    bounded = np.isfinite(lower) & np.isfinite(upper)
    if bounded.all():
        yield lower.copy()
        yield upper.copy()
    size = max(1.0, float(np.abs(case.x).max()))
    sides = np.where(bounded, upper.astype(np.float64) - np.where(bounded, lower, 0), size)
    for draw in range(LAST_STARTS):
        scale = SMALLEST * GROWTH ** (draw % NOISE_STARTS)
        around = case.x + scale * sides * rng.standard_normal(case.x.shape)
        yield threat.clip(around, case.x)


def hinted(case: Case) -> Iterator[Rows]:
    """Begin at the point (*shape) that others found, where there is one."""
    if case.hint.point is not None:
        yield case.hint.point


def pool(case: Case, threat: Threat) -> Iterator[Rows]:
    """Begin at the other samples (*shape), in the order of their file."""
    for row in () if case.pool is None else case.pool:
        if not np.array_equal(row, case.x):
            yield threat.clip(row, case.x)
