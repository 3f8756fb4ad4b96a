"""A search of a region, whatever it splits: what it says of itself, and how it is driven for a number of domains."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from torch import Tensor

EachPart = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""How passes are made, one for each part of the work: what they find, in the same order."""


class DomainSearch(Protocol):
    """A search keeps the domains of a region that are not proven yet. When it is made, it has looked for points."""

    domains: int  # bounded so far
    least: float  # the least margin met at a point, in real arithmetic
    point: Tensor  # (d,) where it was met

    @property
    def bound(self) -> float:
        """Give the least bound of all domains, open and closed: it holds all over the region, and never falls."""
        ...

    @property
    def held(self) -> int:
        """Count the bytes that the search keeps."""
        ...

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is left to split."""
        ...

    @property
    def next_round(self) -> int:
        """Count the domains that the next round would bound."""
        ...

    def go_on(self) -> None:
        """Make one round: split the weakest domains, and bound their children."""
        ...


def search_on(search: DomainSearch, until: int, seen: float) -> None:
    """Make whole rounds as long as no more than `until` domains are bounded, so that a longer search repeats a shorter.

    `seen`: the least margin that was told before. A lesser one, if it is below zero, is told at once.
    """
    while not search.is_over and not search.least < min(seen, 0.0) and search.domains + search.next_round <= until:
        search.go_on()
