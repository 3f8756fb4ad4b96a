"""How the best value fell with its cost, in few points: the same however long it went on."""

import math
from bisect import bisect_left

CHECKPOINTS = tuple(int(step * 10**tens) for tens in range(10) for step in (1, 2.5 if tens else 2, 5))  # to 5 x 10^9
MOST = len(CHECKPOINTS) + 2  # points of a curve: the first, the last by each checkpoint, the last of all
STAGE = 1.25  # a trace keeps one point while the cost grows by this: 40 up to 10,000


class BestSoFar:
    """A best-so-far holds points [cost, value], ever dearer and better, and thins them in two ways.

    Its curve has the first and the last by each checkpoint: the best value at a checkpoint is told exactly, and a run
    that goes on keeps what it told of those behind it. Its trace has the last of each stage.
    """

    __slots__ = ("_curve", "_first", "_trace")

    def __init__(self) -> None:
        self._first: list[float] | None = None
        self._curve = dict[int, list[float]]()  # by the position of the checkpoint that they lie at or before
        self._trace = dict[int, list[float]]()  # by stage

    def add(self, cost: int, value: float) -> None:
        """Take in a value below all before it."""
        point = [cost, value]
        self._first = self._first or point
        self._curve[bisect_left(CHECKPOINTS, cost)] = point
        self._trace[int(math.log(cost) / math.log(STAGE))] = point

    def take_back_to(self, cost: int, value: float) -> None:
        """Forget what is below a value, which was the best at its cost."""
        self._first = self._first if self._first and self._first[1] > value else None
        self._curve = _above(value, self._curve)
        self._trace = _above(value, self._trace)
        self.add(cost, value)

    @property
    def trace(self) -> list[list[float]]:
        """Give the last point of each stage."""
        return [list(point) for point in self._trace.values()]

    @property
    def curve(self) -> list[list[float]]:
        """Give the first point and the last by each checkpoint, `MOST` of them at most."""
        points = [list(point) for point in self._curve.values()]
        return points if not self._first or self._first in points else [list(self._first), *points]


def _above(value: float, points: dict[int, list[float]]) -> dict[int, list[float]]:
    return {stage: point for stage, point in points.items() if point[1] > value}
