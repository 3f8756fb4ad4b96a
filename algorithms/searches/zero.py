"""Where to look next for the radius at which a least margin reaches zero.

    first guess -> farther while it is proven -> between the largest proven and the smallest that failed

The margin is smooth near its zero, so three points tell where that is: inverse quadratic interpolation, and bisection
where the points are too uneven for it (Chandrupatla 1997, Advances in Engineering Software 28). Interpolation only
chooses where to look. A radius counts if it was itself proven: margins need not fall steadily.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

TOLERANCE = 1e-4  # a search ends where the smallest radius not proven is within 0.01 % of the largest that was
PATIENCE = 12  # looks, after which only bisection is trusted


class Look(NamedTuple):
    """A look is the least margin's lower bound within a radius."""

    radius: float
    margin: float

    @property
    def is_proof(self) -> bool:
        return self.margin > 0


@dataclass(frozen=True)
class ZeroSearch:
    """A search is one sample's. `proven` and `failed` are its ends, the rest what interpolation goes through."""

    farthest: float  # a ball of that radius is the whole box
    next: float  # where to look
    newest: Look
    before: Look
    proven: float = 0.0
    failed: float = math.inf
    across: Look | None = None  # the end on the other side of `newest`
    looks: int = 0

    @property
    def is_over(self) -> bool:
        return self.proven >= self.farthest or self.failed <= (1 + TOLERANCE) * self.proven

    def after(self, margin: float) -> "ZeroSearch":
        """Go on after a look at `next` has shown this margin."""
        look = Look(self.next, margin)
        turned = look.is_proof != self.newest.is_proof
        found = replace(
            self,
            newest=look,
            before=(self.across or self.before) if turned else self.newest,
            across=self.newest if turned else self.across,
            proven=look.radius if look.is_proof else self.proven,
            failed=self.failed if look.is_proof else look.radius,
            looks=self.looks + 1,
        )
        return replace(found, next=found._farther() if found.across is None else found._between(found.across))

    def _farther(self) -> float:
        """A first proof is confirmed a little beyond; then where the margin would end if it fell on as it did."""
        (last, had), (radius, margin) = self.before, self.newest
        least, most = (1 + TOLERANCE) * radius, 2 * radius
        if self.looks == 1:
            return min(least, self.farthest)
        fall = (had - margin) / (radius - last)
        return min(max(least, radius + margin / fall if fall > 0 else most), most, self.farthest)

    def _between(self, across: Look) -> float:
        share = 0.5 if self.looks > PATIENCE else _share(self.newest, across, self.before)
        tried = self.newest.radius + share * (across.radius - self.newest.radius)
        least, most = (1 + TOLERANCE) * self.proven, self.failed / (1 + TOLERANCE)
        return min(max(tried, least), most) if least < most else (self.proven + self.failed) / 2


def _share(a: Look, b: Look, c: Look) -> float:
    """How far from a to b the margin is zero. c: a third point, on whatever side."""
    if not all(math.isfinite(look.margin) for look in (a, b, c)) or len({a.margin, b.margin, c.margin}) < 3:
        return 0.5
    xi, phi = (a.radius - b.radius) / (c.radius - b.radius), (a.margin - b.margin) / (c.margin - b.margin)
    if not (phi * phi < xi and (1 - phi) * (1 - phi) < 1 - xi):
        return 0.5
    straight = a.margin / (b.margin - a.margin) * c.margin / (b.margin - c.margin)
    bent = a.margin / (c.margin - a.margin) * b.margin / (c.margin - b.margin)
    share = straight + (c.radius - a.radius) / (b.radius - a.radius) * bent
    return share if 0 <= share <= 1 else 0.5
