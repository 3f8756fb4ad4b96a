"""How many more domains the search of a radius is expected to take, from how its bound has risen so far.

Bounds of branch and bound rise about as the logarithm of the domains: every doubling adds as much as the last. Before
a search has been seen to rise, it is guessed by how far its radius lies beyond what is proven.
"""

import math
from dataclasses import dataclass, field

STEEPNESS = 8.0  # the power of (wanted radius / proven radius) that an unseen search is expected to cost
HOPELESS = 2.0**60
FLATTEST = 1e-9  # rise a doubling, as a share of what is missing


@dataclass
class Forecast:
    """A forecast is of one search. `beyond`: its radius over the proven one; `opening`: what beginning costs."""

    opening: int
    beyond: float
    _seen: list[tuple[int, float]] = field(default_factory=list)  # (domains, bound), the last two

    def see(self, domains: int, bound: float) -> None:
        """Take in where the search stands. With fewer domains than before it has begun anew."""
        before = self._seen[-1][0] if self._seen else 0
        if domains > before:
            self._seen = [*self._seen[-1:], (domains, bound)]
        elif domains < before:
            self._seen = [(domains, bound)]

    @property
    def cost(self) -> float:
        """Tell how many more domains are expected until the bound is above zero."""
        if len(self._seen) < 2 or not all(math.isfinite(bound) for _, bound in self._seen):
            begun = self._seen[-1][0] if self._seen else self.opening
            return float(min(HOPELESS, begun * min(self.beyond, 1e6) ** STEEPNESS))
        (few, low), (many, high) = self._seen
        doublings = math.log2(many / few)
        rise = max((high - low) / doublings, FLATTEST * max(-high, 0.0))
        missing = -high / rise if rise > 0 else 60.0
        return float(min(HOPELESS, many * (2.0 ** min(missing, 60.0) - 1)))
