"""Laws of random directions: offsets of l2 length 1, in all of the input space or in a subspace of it.

A subspace that holds most of what gradients of image models look like makes an estimate from few labels sharper: low
frequencies (Li et al., QEBA, CVPR 2020, arXiv:2005.14137), or the span of samples like those under attack (Wang et
al., Spanning Attack, Machine Learning 2020, arXiv:2005.04871). Within its space every law here is the same in all
directions, except `Full` in linf, whose cube is the paper's.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import Refused
from algorithms.mathematics.caching import in_cache
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.windows import Canvas
from algorithms.seam.access import Rows

NOISE = 1e-5  # share of the largest singular value below which a direction is rounding of float32 samples

Offsets = NDArray[np.float32]


@dataclass(frozen=True)
class Full:
    """All directions are drawn: Gaussian in l2, from the cube in linf (Chen et al. 2020, section IV-C)."""

    norm: Norm

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw offsets (m, *shape) into `out`."""
        for part in in_cache(out):
            if self.norm is Norm.LINF:
                rng.random(out=part, dtype=np.float32)
                part *= 2
                part -= 1
            else:
                rng.standard_normal(out=part, dtype=np.float32)
            _make_unit(part)


@dataclass(frozen=True)
class LowFrequencies:
    """Images without fine detail are drawn: the span of the first cosines along both axes, each channel for itself.

    `down` (u, height) and `across` (v, width) are the first rows of the orthonormal DCT-II matrices, so that unit
    coefficients make unit images.
    """

    canvas: Canvas
    down: Offsets
    across: Offsets

    @classmethod
    def of(cls, shape: tuple[int, ...], share: float) -> Self:
        """Take the lowest `share` of the frequencies of each axis, at least one. A vector of features has one axis."""
        canvas = Canvas.of(shape)
        return cls(canvas, cosines(canvas.height, share), cosines(canvas.width, share))

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw offsets (m, *shape) into `out`."""
        size = (len(out), self.canvas.channels, len(self.down), len(self.across))
        coefficients = rng.standard_normal(size, dtype=np.float32)
        _make_unit(coefficients)
        images = self.down.T @ coefficients @ self.across  # (m, C, H, W)
        if self.canvas.channels_last:
            images = np.moveaxis(images, 1, -1)
        out[...] = images.reshape(out.shape)


@dataclass(frozen=True)
class Spanning:
    """The row space of `basis` (r, d) is drawn from, whose rows are orthonormal: see `spanning_basis`."""

    basis: Offsets

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw offsets (m, *shape) into `out`."""
        coefficients = rng.standard_normal((len(out), len(self.basis)), dtype=np.float32)
        _make_unit(coefficients)
        np.matmul(coefficients, self.basis, out=out.reshape(len(out), -1))


def spanning_basis(samples: Rows) -> Offsets:
    """Find an orthonormal basis (r, d) of the span of samples (n, *shape), the strongest direction first: thin SVD.

    Not centered, as in the paper: the mean image is itself a direction worth trying. Raises Refused where all are 0.
    """
    flat = samples.reshape(len(samples), -1).astype(np.float64)  # (n, d)
    if len(flat) > flat.shape[1]:
        # The same right singular vectors, at a fraction of the memory.
        flat = np.asarray(np.linalg.qr(flat, mode="r"))  # (d, d)
    _, sigma, v = np.linalg.svd(flat, full_matrices=False)
    basis: Offsets = v[sigma > NOISE * sigma[0]].astype(np.float32)
    if not len(basis):
        raise Refused("The auxiliary samples are all zero and span nothing; upload others.")
    return basis


def cosines(n: int, share: float) -> Offsets:
    """Compute the first round(share * n) rows, at least one, of the orthonormal DCT-II matrix (n, n)."""
    frequency, place = np.arange(max(1, round(share * n)))[:, None], np.arange(n)[None, :]
    rows = np.cos(np.pi * frequency * (2 * place + 1) / (2 * n)) * np.sqrt(2 / n)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


def _make_unit(offsets: Offsets) -> None:
    """Scale each row (m, ...) to l2 length 1, in place; a row of zeros stays one."""
    flat = offsets.reshape(len(offsets), -1)
    square = np.einsum("ij,ij->i", flat, flat)
    flat *= (1 / np.sqrt(np.maximum(square, np.finfo(np.float32).tiny)))[:, None]
