"""All of the input space."""

from dataclasses import dataclass

import numpy as np

from algorithms.mathematics.caching import in_cache
from algorithms.mathematics.norms import Norm
from algorithms.searches.directions.unit import Offsets, make_unit


@dataclass(frozen=True)
class Full:
    """All directions are drawn: Gaussian in l2, from the cube in linf (Chen et al. 2020, section IV-C)."""

    norm: Norm

    def dimensions(self, d: int) -> int:
        """Count the dimensions of the space that is drawn from."""
        return d

    def draw(self, rng: np.random.Generator, out: Offsets) -> None:
        """Draw offsets (m, *shape) into `out`."""
        for part in in_cache(out):
            if self.norm is Norm.LINF:
                rng.random(out=part, dtype=np.float32)
                part *= 2
                part -= 1
            else:
                rng.standard_normal(out=part, dtype=np.float32)
            make_unit(part)
