"""The span of samples like those under attack (Wang et al., Spanning Attack, Machine Learning 2020, arXiv:2005.04871).

What gradients of image models look like lies mostly in the span of images. The strongest directions of that span make
estimates sharpest; the weakest hold what distinguishes images, and are what the authors' code recommends.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from algorithms.errors import Refused
from algorithms.seam.access import Rows
from algorithms.searches.directions.unit import Offsets, make_unit

NOISE = 1e-5  # share of the largest singular value below which a direction is rounding of float32 samples

Subspace = Literal["all", "top", "bottom"]


@dataclass(frozen=True)
class Spanning:
    """The row space of `basis` (r, d) is drawn from, whose rows are orthonormal: see `spanning_basis`."""

    basis: Offsets

    def dimensions(self, d: int) -> int:
        """Count the dimensions of the space that is drawn from."""
        del d
        return len(self.basis)

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw offsets (m, *shape) into `out`."""
        coefficients = rng.standard_normal((len(out), len(self.basis)), dtype=np.float32)
        make_unit(coefficients)
        np.matmul(coefficients, self.basis, out=out.reshape(len(out), -1))


def spanning_basis(samples: Rows, least: int = 1) -> Offsets:
    """Find an orthonormal basis (r, d) of the span of samples (n, *shape), the strongest direction first: thin SVD.

    Not centered, as in the paper: the mean image is itself a direction worth trying. Raises Refused where all are 0, or
    where they span fewer than `least` dimensions.
    """
    flat = samples.reshape(len(samples), -1).astype(np.float64)  # (n, d)
    if len(flat) > flat.shape[1]:
        # The same right singular vectors, at a fraction of the memory.
        flat = np.asarray(np.linalg.qr(flat, mode="r"))  # (d, d)
    _, sigma, v = np.linalg.svd(flat, full_matrices=False)
    basis: Offsets = v[sigma > NOISE * sigma[0]].astype(np.float32)
    if not len(basis):
        raise Refused("The auxiliary samples are all zero and span nothing; upload others.")
    if len(basis) < least:
        raise Refused(
            f"The auxiliary samples span {len(basis)} dimensions, and {least} are asked for: set rank to {len(basis)} "
            "or less, or upload samples that differ more."
        )
    return basis


def part(basis: Offsets, subspace: Subspace, rank: int | None) -> Offsets:
    """Take the first (`top`) or last (`bottom`) `rank` rows of a basis (r, d) whose strongest directions come first."""
    if rank is None:
        return basis
    return basis[:rank] if subspace == "top" else basis[-rank:]
