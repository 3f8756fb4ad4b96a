"""Attack spaces: the coordinates that are looked at and moved, each along a line of its own through the point.

Chen et al., AISec 2017, sections 3.4 to 3.6. The point itself is never resized; a space only says along which lines it
moves.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from algorithms.attacks.zoo.coordinates import Coordinates
from algorithms.attacks.zoo.parabolas import through
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.windows import Canvas
from algorithms.seam.access import Rows

NEIGHBORHOOD = 8  # a side has so many of the windows in which the largest change counts for all (their code)


@dataclass(frozen=True)
class Lines:
    """Lines lead through m points, B through each; on each two other points are as far along as `a` and `b` (m, B)."""

    a: Numbers
    b: Numbers
    squares: Numbers  # (m, B) squared lengths of their directions

    def parabolas(self, losses: Numbers) -> tuple[Numbers, Numbers]:
        """Find the slope and the curvature along each, (m, B, ...), of losses (m, 1 + 2 B, ...) at the points.

        The losses are those of the m points themselves, those at a, those at b.
        """
        lines = self.a.shape[1]
        beside = (*self.a.shape, *(1,) * (losses.ndim - 2))
        at_a, at_b = losses[:, 1 : 1 + lines], losses[:, 1 + lines :]
        return through(losses[:, :1], at_a, at_b, self.a.reshape(beside), self.b.reshape(beside))

    def of(self, places: NDArray[np.int64]) -> "Lines":
        """Take the lines through some of the points."""
        return Lines(self.a[places], self.b[places], self.squares[places])


@dataclass(frozen=True)
class Probes:
    """Probes are the points of lines that the model is asked about."""

    rows: Rows  # (m, 1 + 2 B, d): the points themselves, those at a, those at b; all valid
    farther: Numbers  # (m, 1 + 2 B) by how much their squared distances from the samples exceed those of the points
    lines: Lines


class Space(Protocol):
    """A space has `size` coordinates; the squared lengths of their lines' directions sum up to `square`."""

    size: int
    square: float

    def probe(self, points: Rows, x: Rows, bend: Numbers, drawn: Coordinates, reach: Numbers) -> Probes:
        """Take valid points at both sides of points (m, d), along the lines of the drawn coordinates (m, B).

        `bend` (m, 1) or (m, d): what a line's direction is multiplied with, feature by feature; `reach` (m, d): how far
        each feature is moved at the most.
        """
        ...

    def along(self, drawn: Coordinates, steps: Numbers) -> Numbers:
        """Sum up steps (m, B) along the unbent lines of drawn coordinates: (m, d)."""
        ...

    def weigh(self, offsets: Numbers) -> Numbers:
        """Tell how far each coordinate's neighborhood has moved, (m, size), where points are offset by (m, d)."""
        ...


def summed(drawn: Coordinates, steps: Numbers, size: int) -> Numbers:
    """Lay steps (m, B) of drawn coordinates out among all coordinates, (m, size): 0 for the others."""
    changes = np.zeros((len(drawn), size))
    np.put_along_axis(changes, drawn, steps, axis=1)
    return changes


def as_images(flat: Numbers, canvas: Canvas) -> Numbers:
    """Read samples (m, d) as images (m, C, H, W)."""
    last = canvas.channels_last
    sides = (canvas.height, canvas.width)
    images = flat.reshape(len(flat), *((*sides, canvas.channels) if last else (canvas.channels, *sides)))
    return np.moveaxis(images, -1, 1) if last else images


def laid_out(images: Numbers, canvas: Canvas) -> Numbers:
    """Lay images (..., C, H, W) out as samples are, (..., d)."""
    last = np.moveaxis(images, -3, -1) if canvas.channels_last else images
    return last.reshape(*images.shape[:-3], -1)


def pooled(images: Numbers) -> Numbers:
    """Take the largest of each pixel's neighborhood in images (m, C, H, W). Features in a row have no neighbors."""
    from scipy.ndimage import maximum_filter

    height, width = images.shape[2:]
    if height == 1:
        return images
    window = (1, 1, max(1, height // NEIGHBORHOOD), max(1, width // NEIGHBORHOOD))
    return np.asarray(maximum_filter(images, size=window, mode="nearest"))
