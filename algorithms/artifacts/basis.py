"""The span of other samples, as an orthonormal basis: directions are drawn from it."""

import math
from dataclasses import dataclass

from algorithms.artifacts.wish import Declaration, Declared

BASIS = "basis"


@dataclass(frozen=True)
class Basis:
    """A basis (r, d) is wanted, of as many directions as the samples span; `least` of them have to be there."""

    least: int = 1
    kind: str = "basis"
    purpose: str = "to span directions"
    is_trained: bool = False

    def misfit(self, shape: tuple[int, ...], count: int) -> str | None:
        """Says that too few samples cannot span so many directions."""
        most = min(count, math.prod(shape))
        if most >= self.least:
            return None
        return (
            f"{most} directions at the most come of these auxiliary samples, {self.least} are asked for: set rank to "
            f"{most} or less, or name more."
        )

    def arrays(self, shape: tuple[int, ...], count: int) -> Declaration:
        """Declares the basis: `least` rows or more, but no more than there are samples or features."""
        d = math.prod(shape)
        return {BASIS: Declared((min(count, d), d), least=self.least)}

    def between(self, shape: tuple[int, ...], count: int) -> Declaration:
        """Declares nothing: one decomposition makes it whole."""
        del shape, count
        return {}
