"""The space of a coarse grid: a line's direction is the image that the grid makes, resized bilinearly, of one point.

Chen et al., AISec 2017, section 3.4 (attack-space dimension reduction) and 3.5 (hierarchical attack).
"""

import math

import numpy as np

from algorithms.attacks.zoo.coordinates import Coordinates
from algorithms.attacks.zoo.features import Features
from algorithms.attacks.zoo.space import Lines, Probes, Space, as_images, laid_out, pooled, summed
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.windows import Canvas
from algorithms.seam.access import Rows
from algorithms.searches.directions.bilinear import resizing
from algorithms.threats.threat import Threat


def spaces(shape: tuple[int, ...], threat: Threat, grids: tuple[int, ...]) -> tuple[Space, ...]:
    """Lay out one space for each grid, given by the points along its sides. Without a grid, all features."""
    canvas = Canvas.of(shape)
    largest = max(canvas.height, canvas.width)
    return tuple(
        Grid(canvas, threat, side) if side < largest else Features(canvas, threat) for side in grids or (largest,)
    )


class Grid:
    """The points of a grid are coordinates, in each channel for itself. What would leave the box is clipped."""

    def __init__(self, canvas: Canvas, threat: Threat, side: int) -> None:
        self._canvas, self._threat = canvas, threat
        self._down, self._across = (resizing(n, side).astype(np.float64) for n in (canvas.height, canvas.width))
        self._shape = canvas.channels, len(self._down), len(self._across)
        self.size = math.prod(self._shape)
        self.square = canvas.channels * float(np.square(self._down).sum() * np.square(self._across).sum())

    def probe(self, points: Rows, x: Rows, bend: Numbers, drawn: Coordinates, reach: Numbers) -> Probes:
        """Take probes as `Space.probe` has it."""
        lines = bend[:, None] * self._lines(drawn)  # (m, B, d)
        shares = (np.abs(lines) / np.where(reach > 0, reach, np.inf)[:, None]).max(axis=2)  # (m, B)
        a = np.where(shares > 0, 1 / np.where(shares > 0, shares, 1.0), 0.0)
        here = points[:, None].astype(np.float64)
        all_three = [here, here + a[:, :, None] * lines, here - a[:, :, None] * lines]
        rows = self._threat.clip(np.concatenate(all_three, axis=1), x[:, None])
        away = np.square(rows - x[:, None].astype(np.float64)).sum(axis=2)
        return Probes(rows, away - away[:, :1], Lines(a, -a, np.square(lines).sum(axis=2)))

    def _lines(self, drawn: Coordinates) -> Numbers:
        """The images (m, B, d) that the grid makes of one point each."""
        channel, y, x = np.unravel_index(drawn, self._shape)
        images = np.zeros((*drawn.shape, self._canvas.channels, self._canvas.height, self._canvas.width))
        at = np.arange(len(drawn))[:, None], np.arange(drawn.shape[1])[None], channel
        images[at] = self._down[y][..., :, None] * self._across[x][..., None, :]
        return laid_out(images, self._canvas)

    def along(self, drawn: Coordinates, steps: Numbers) -> Numbers:
        grids = summed(drawn, steps, self.size).reshape(-1, *self._shape)
        return laid_out(self._down.T @ grids @ self._across, self._canvas)

    def weigh(self, offsets: Numbers) -> Numbers:
        moved = self._down @ as_images(np.abs(offsets), self._canvas) @ self._across.T
        return pooled(moved).reshape(len(offsets), -1)
