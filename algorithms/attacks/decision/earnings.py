"""What moves earn: by how much they have brought the point nearer, for each query. The best earner plays next."""

import math
from collections.abc import Sequence

import numpy as np

LATELY = 0.5  # share of the last play in what a move earns: what pays far away may not pay nearby
EXPLORE = 8  # every so many plays it is the turn of whoever has not played for longest


class Earnings:
    """Earnings are kept for so many moves: of a move that has not played yet, what others saw it earn, or nothing."""

    def __init__(self, moves: int, seen: Sequence[float] = ()) -> None:
        self._rates = np.array(seen if len(seen) == moves else [math.inf] * moves, np.float64)
        self._last = np.zeros(moves)
        self._plays = 0

    @property
    def told(self) -> list[float | None]:
        """Tell what each move earns: by which share the distance shrinks a query; None before its first play."""
        return [None if math.isinf(rate) else rate for rate in self._rates.tolist()]

    def choose(self) -> int:
        """Say whose turn it is: who has not played, who earns most, and every so often who has waited longest."""
        self._plays += 1
        waits_longest = self._plays % EXPLORE == 0
        chosen = int(np.argmin(self._last) if waits_longest else np.argmax(self._rates))
        self._last[chosen] = self._plays
        return chosen

    def learn(self, move: int, before: float, after: float, queries: int) -> None:
        """Take in that a move has brought the distance from `before` to `after`, for so many queries."""
        rate = math.log(before / after) / queries if 0 < after < before and queries else 0.0
        known = self._rates[move]
        self._rates[move] = rate if math.isinf(known) else (1 - LATELY) * known + LATELY * rate
