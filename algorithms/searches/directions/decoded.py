"""What a decoder makes of few numbers: offsets like the samples it was trained on (Tu et al., AutoZOOM, AAAI 2019)."""

import math
from dataclasses import dataclass

import numpy as np

from algorithms.artifacts.decoding import TrainedDecoder
from algorithms.searches.directions.unit import Offsets, make_unit


@dataclass(frozen=True)
class Decoded:
    """Standard normal numbers are decoded, and by chance turned round: a decoder is not linear, and the law is even."""

    decoder: TrainedDecoder

    def dimensions(self, d: int) -> int:
        """Count the numbers that are decoded: offsets are no space, but no more than these choose among them."""
        del d
        return math.prod(self.decoder.layers.latent)

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw offsets (m, *shape) into `out`."""
        out[...] = self.decoder(rng.standard_normal((len(out), *self.decoder.layers.latent), dtype=np.float32))
        make_unit(out)
        out *= rng.choice(np.array([-1, 1], np.float32), (len(out), *(1,) * (out.ndim - 1)))
