"""The space of all features: their lines are the axes."""

import numpy as np

from algorithms.attacks.zoo.coordinates import Coordinates
from algorithms.attacks.zoo.space import Lines, Probes, as_images, laid_out, pooled, summed
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.windows import Canvas
from algorithms.seam.access import Rows
from algorithms.threats.threat import Threat


class Features:
    """Features are coordinates. At an end of the box both probes of one lie on the side that has room."""

    def __init__(self, canvas: Canvas, threat: Threat) -> None:
        self._canvas, self._threat = canvas, threat
        self.size = canvas.channels * canvas.height * canvas.width
        self.square = float(self.size)

    def probe(self, points: Rows, x: Rows, bend: Numbers, drawn: Coordinates, reach: Numbers) -> Probes:
        """Take probes as `Space.probe` has it."""
        at = np.arange(len(points))[:, None], drawn
        here, bent = points[at].astype(np.float64), np.broadcast_to(bend, points.shape)[at]  # (m, B)
        values = self._values(here, x, at, reach[at])
        moved, from_x = values - here[:, None], (here - x[at])[:, None]  # (m, 2, B): what float32 makes of the way
        a, b = (np.where(bent > 0, by / np.where(bent > 0, bent, 1.0), 0.0) for by in moved.transpose(1, 0, 2))
        farther = (moved * (2 * from_x + moved)).reshape(len(points), -1)
        return Probes(_rows(points, drawn, values), np.pad(farther, ((0, 0), (1, 0))), Lines(a, b, bent**2))

    def _values(self, here: Numbers, x: Rows, at: tuple[Coordinates, Coordinates], step: Numbers) -> Rows:
        """The two values (m, 2, B) that each drawn feature is given beside its own."""
        drawn = self._threat.arranged(lambda side: np.broadcast_to(side, x.shape)[at][:, None])
        low, high = drawn.limits(x[at])
        above, below = high[:, 0] - here, here - low[:, 0]
        is_two_sided = np.minimum(above, below) >= step / 2
        first = np.where(is_two_sided | (above >= below), step, -step)
        second = np.where(is_two_sided, -step, 2 * first)
        values = here[:, None] + np.stack([first, second], axis=1)
        return np.asarray(drawn.clip(values, x[at]))

    def along(self, drawn: Coordinates, steps: Numbers) -> Numbers:
        return summed(drawn, steps, self.size)

    def weigh(self, offsets: Numbers) -> Numbers:
        return laid_out(pooled(as_images(np.abs(offsets), self._canvas)), self._canvas)


def _rows(points: Rows, drawn: Coordinates, values: Rows) -> Rows:
    """The points, and copies of each in which one drawn feature has one of its values (m, 2, B): (m, 1 + 2 B, d)."""
    m, copies = len(points), 2 * drawn.shape[1]
    rows = np.repeat(points[:, None], 1 + copies, axis=1)
    place = np.arange(m)[:, None], np.arange(1, 1 + copies)[None], np.tile(drawn, 2)
    rows[place] = values.reshape(m, copies)
    return rows
