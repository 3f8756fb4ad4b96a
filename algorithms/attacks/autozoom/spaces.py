"""The space that is attacked: few numbers, and what a decoder makes of them, an offset of a whole sample."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Rows
from algorithms.seam.case import Case
from algorithms.searches.directions.bilinear import Bilinear
from algorithms.searches.directions.choice import directions, has_detail
from algorithms.searches.directions.decoded import Decoded
from algorithms.searches.directions.low_frequencies import LowFrequencies
from algorithms.searches.directions.params import DirectionParams
from algorithms.searches.directions.separable import images
from algorithms.searches.directions.spanning import Spanning

Latents = NDArray[np.float32]  # (m, size)


@dataclass(frozen=True)
class LatentSpace:
    """A space has `size` numbers. Standard normal ones are decoded to offsets (m, d) with a mean square of 1 a feature.

    Nothing is decoded to no offset, and a row's bits do not depend on its company.
    """

    size: int
    decode: Callable[[Latents], Rows]


def space_of(case: Case, params: DirectionParams) -> LatentSpace:
    """Make the space that the directions of these parameters come from.

    Without a grid asked for, tables and very small images are searched feature by feature.
    """
    law, d = directions(case, params), case.x.size
    if isinstance(law, Bilinear) and params.grid is None and not has_detail(law.canvas):
        return LatentSpace(d, lambda z: z)
    if isinstance(law, Bilinear | LowFrequencies):
        return _separable(law)
    if isinstance(law, Spanning):
        basis = law.basis * np.float32(math.sqrt(d / len(law.basis)))
        return LatentSpace(len(basis), lambda z: (z[:, None] @ basis)[:, 0])
    if isinstance(law, Decoded):
        decoder = law.decoder
        latent = decoder.layers.latent
        return LatentSpace(math.prod(latent), lambda z: decoder(z.reshape(-1, *latent)).reshape(-1, d))
    return LatentSpace(d, lambda z: z)


def _separable(law: Bilinear | LowFrequencies) -> LatentSpace:
    """Coefficients of a matrix an axis, each channel for itself."""
    square = math.prod(float(np.square(side, dtype=np.float64).sum(axis=0).mean()) for side in (law.down, law.across))
    down = law.down / np.float32(math.sqrt(square))
    coefficients = law.canvas.channels, len(law.down), len(law.across)

    def decode(z: Latents) -> Rows:
        made = images(z.reshape(-1, *coefficients), law.canvas, down, law.across)
        return np.ascontiguousarray(made).reshape(len(z), -1)

    return LatentSpace(math.prod(coefficients), decode)
