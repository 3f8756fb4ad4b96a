"""Where to look next for the radius at which a least margin reaches zero.

    first guess -> farther while it is proven -> between the largest proven and the smallest that failed

The margin is smooth near its zero, so three points tell where that is: inverse quadratic interpolation, and bisection
where the points are too uneven for it (Chandrupatla 1997, Advances in Engineering Software 28); of the distance between
the ends or, where they are far apart, of their ratio. Interpolation only chooses where to look. A radius counts if it
was itself proven: margins need not fall steadily.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

TOLERANCE = 1e-4  # a search ends where the smallest radius not proven is within 0.01 % of the largest that was
PATIENCE = 12  # looks, after which only bisection is trusted
CLIFF = 2.0  # times as far, and times as much below zero as above


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
    bisects: Literal["distance", "ratio"] = "distance"

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
        share = None if self.looks > PATIENCE else _share(self.newest, across, self.before)
        if self.bisects == "ratio" and (share is None or self._is_cliff(across) or self._is_stuck):
            tried = math.sqrt(self.proven) * math.sqrt(self.failed)
        else:
            tried = self.newest.radius + (0.5 if share is None else share) * (across.radius - self.newest.radius)
        least, most = (1 + TOLERANCE) * self.proven, self.failed / (1 + TOLERANCE)
        return min(max(tried, least), most) if least < most else (self.proven + self.failed) / 2

    @property
    def _is_stuck(self) -> bool:
        """Tell whether two looks have failed in a row: interpolation may come down to the zero without a proof."""
        return not self.newest.is_proof and not self.before.is_proof

    def _is_cliff(self, across: Look) -> bool:
        """Tell whether the ends are so far apart, and one so far below zero, that no curve leads to the other."""
        proof, failure = (self.newest, across) if self.newest.is_proof else (across, self.newest)
        return failure.radius > CLIFF * proof.radius and -failure.margin > CLIFF * proof.margin


def _share(a: Look, b: Look, c: Look) -> float | None:
    """How far from a to b the margin is zero. c: a third point, on whatever side. None: they cannot tell."""
    if not all(math.isfinite(look.margin) for look in (a, b, c)) or len({a.margin, b.margin, c.margin}) < 3:
        return None
    xi, phi = (a.radius - b.radius) / (c.radius - b.radius), (a.margin - b.margin) / (c.margin - b.margin)
    if not (phi * phi < xi and (1 - phi) * (1 - phi) < 1 - xi):
        return None
    straight = a.margin / (b.margin - a.margin) * c.margin / (b.margin - c.margin)
    bent = a.margin / (c.margin - a.margin) * b.margin / (c.margin - b.margin)
    share = straight + (c.radius - a.radius) / (b.radius - a.radius) * bent
    return share if 0 <= share <= 1 else None
