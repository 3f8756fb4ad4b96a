"""How the best value fell with its cost, in few points: exact at round numbers, the same however long it went on."""

from bisect import bisect_left

CHECKPOINTS = tuple(int(step * 10**tens) for tens in range(10) for step in (1, 2.5 if tens else 2, 5))  # to 5 x 10^9
MOST = len(CHECKPOINTS) + 2  # points: the first, the last up to each checkpoint, the last of all


class BestSoFar:
    """A best-so-far holds points [cost, value], ever dearer and better: the first, and the last by each checkpoint.

    So the best value at a checkpoint is told exactly, and a run that goes on keeps what it told of those behind it.
    """

    __slots__ = ("_first", "_last")

    def __init__(self) -> None:
        self._first: list[float] | None = None
        self._last = dict[int, list[float]]()  # by the position of the checkpoint that they lie at or before

    def add(self, cost: int, value: float) -> None:
        """Take in a value below all before it."""
        point = [cost, value]
        self._first = self._first or point
        self._last[bisect_left(CHECKPOINTS, cost)] = point

    def take_back_to(self, cost: int, value: float) -> None:
        """Forget what is below a value, which was the best at its cost."""
        self._first = self._first if self._first and self._first[1] > value else None
        self._last = {stage: point for stage, point in self._last.items() if point[1] > value}
        self.add(cost, value)

    def told(self) -> list[list[float]]:
        """Give the points, `MOST` of them at most."""
        points = [list(point) for point in self._last.values()]
        return points if not self._first or self._first in points else [list(self._first), *points]
