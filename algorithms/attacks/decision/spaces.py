"""The spaces that clouds are drawn in: all there is, the low frequencies of images, the span of the upload."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.windows import Canvas
from algorithms.seam.access import Rows
from algorithms.seam.case import Case
from algorithms.searches.directions.choice import has_detail
from algorithms.searches.directions.full import Full
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.directions.low_frequencies import LowFrequencies
from algorithms.searches.directions.unit import Offsets, make_unit
from algorithms.threats.threat import Threat

FREQUENCIES = 0.5  # share of each axis
SPANNED = 100  # rows of the upload at most
NUMBERS = 1 << 24  # that they may hold
FEWEST = 8  # dimensions: a smaller span leaves out nearly everything
NOISE = 1e-10  # of the largest eigenvalue: a smaller one is rounding


def spaces(case: Case, threat: Threat) -> Mapping[str, DirectionLaw]:
    """Name the laws of directions worth trying on a sample. All of the space is always one of them."""
    found: dict[str, DirectionLaw] = {"full": Full(threat.norm)}
    if has_detail(Canvas.of(case.x.shape)):
        found["dct"] = LowFrequencies.of(case.x.shape, FREQUENCIES)
    span = None if case.pool is None else UploadSpan.of(case.pool[: max(1, min(SPANNED, NUMBERS // case.x.size))])
    if span is not None:
        found["span"] = span
    return found


@dataclass(frozen=True)
class UploadSpan:
    """The span of some rows: offsets even in it, made without a basis of its own, which would be as large as the rows.

    Rows (p, d) and `mixing` (r, p), whose product is an orthonormal basis of r directions.
    """

    rows: Rows
    mixing: Numbers

    @classmethod
    def of(cls, rows: Rows) -> "UploadSpan | None":
        """Find the span of rows (p, *shape); None where it has few dimensions, or half of all there are."""
        flat = rows.reshape(len(rows), -1)
        size, vectors = np.linalg.eigh((flat @ flat.T).astype(np.float64))
        kept = size > NOISE * max(size[-1], np.finfo(np.float64).tiny) * flat.shape[1]
        if not FEWEST <= kept.sum() <= flat.shape[1] // 2:
            return None
        return cls(flat, (vectors[:, kept] / np.sqrt(size[kept])).T)

    def dimensions(self, d: int) -> int:
        """Count the dimensions of the space that is drawn from."""
        del d
        return len(self.mixing)

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw offsets (m, *shape) into `out`."""
        coefficients = rng.standard_normal((len(out), len(self.mixing)))
        np.matmul((coefficients @ self.mixing).astype(np.float32), self.rows, out=out.reshape(len(out), -1))
        make_unit(out)
