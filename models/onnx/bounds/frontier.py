"""The open domains of a branch and bound, the weakest first, and the least bound of those that are closed.

Where memory is full, the strongest are taken instead, depth first: each is soon closed, or leaves a few more in the
place of one. The bound of all holds meanwhile, and rises again when there is room.
"""

import bisect
from typing import Any, Generic, Protocol, TypeVar


class BoundedDomain(Protocol):
    """A bounded domain is ordered by its bound, and then by when it was made."""

    @property
    def bound(self) -> float:
        """Give a lower bound of a margin all over the domain."""
        ...

    def __lt__(self, other: Any, /) -> bool: ...


D = TypeVar("D", bound=BoundedDomain)

MEMORY = 2**28  # bytes that the open domains of a search take, or little more


class Frontier(Generic[D]):
    """A frontier holds what is not proven yet. `size`: bytes that a domain takes. `closed`: a bound of all else."""

    def __init__(self, size: int, *, closed: float = float("inf"), memory: int = MEMORY) -> None:
        self._size, self._most = size, max(1, memory // size)
        self._open: list[D] = []
        self._closed = closed

    @property
    def held(self) -> int:
        """Count the bytes that the open domains take."""
        return self._size * len(self._open)

    def __len__(self) -> int:
        return len(self._open)

    @property
    def bound(self) -> float:
        """Give the least bound of all domains, open and closed."""
        return min(self._closed, self._open[0].bound) if self._open else self._closed

    def add(self, domain: D) -> None:
        bisect.insort(self._open, domain)

    def close(self, bound: float) -> None:
        """Take in the bound of a domain that will not be split. What is no number proves nothing."""
        self._closed = min(self._closed, bound) if bound == bound else -float("inf")

    def take(self, count: int) -> list[D]:
        """Take out the weakest; or, where memory is full, the strongest, which are soon closed."""
        if len(self._open) > self._most:
            taken = self._open[-count:]
            del self._open[-count:]
        else:
            taken = self._open[:count]
            del self._open[:count]
        return taken
