"""How a bound rose with the domains that were spent on it: what a reader judges a longer search by."""

import math
from dataclasses import dataclass, field

STAGE = 1.6  # one point is kept while the number of domains grows by this: 32 up to three million
MOST = 32


@dataclass
class BoundCurve:
    """A curve holds [domains, bound] in rising order, the last of each stage."""

    _points: dict[int, list[float | None]] = field(default_factory=dict)

    def add(self, domains: int, bound: float) -> None:
        """Take in where the search stands. A bound of -inf is no number."""
        stage = min(MOST - 1, int(math.log(max(1, domains)) / math.log(STAGE)))
        self._points[stage] = [domains, bound if math.isfinite(bound) else None]

    def told(self) -> list[list[float | None]]:
        return [list(point) for point in self._points.values()]
