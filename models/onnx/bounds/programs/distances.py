"""How far a part of the ball begins: the least distance at which its relaxed program has a solution, proven.

l1: the distance is the program's cost. linf: the cost is a margin, within a cube that grows to where the multipliers of
the last solution no longer prove that it is won; that root is itself proven, and the next cube. Cubes change nothing
but the ends of the input's columns, which a dual simplex takes a hundred times faster than rows |d_i| <= s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from models.onnx.bounds.programs.program import Ends, Program
from models.onnx.bounds.programs.proof import Multiplied
from models.onnx.bounds.programs.solver import Solver

CUBES = 50  # at a node at the most: four are usual
HARDLY = 1e-6  # share by which a cube is not worth growing
TINY = 1e-9  # of the reach, a first cube where one has to be grown from nothing
SHORT = 1e-9  # share by which the root of a proof is missed, so that it is proven itself


@dataclass(frozen=True)
class Solved:
    """A node solved is a distance that is proven, a solution about there, and the multipliers that say so."""

    bound: float
    columns: Numbers | None
    multipliers: Numbers


class Distance(Protocol):
    """A distance is measured in one norm."""

    def solve(self, ends: Ends, winner: int, *, at_least: float, enough: float) -> Solved:
        """Find the distance of the part of a program within these ends where a winner wins, or that it is enough."""
        ...


class LeastCost:
    """A least cost is the distance in l1. It speaks `Distance`."""

    def __init__(self, program: Program) -> None:
        self._program, self._solver = program, Solver(program)
        self._transposed = program.matrix.T.tocsr()

    def solve(self, ends: Ends, winner: int, *, at_least: float, enough: float) -> Solved:
        del at_least
        p = self._program
        ends = p.won(ends, p.winners[winner])
        ended = self._solver.solve(ends, p.cost, enough=enough)
        if ended.columns is None and Multiplied.by(ended.multipliers, self._transposed, 0 * p.cost, ends).least > 0:
            return Solved(np.inf, None, ended.multipliers)
        bound = Multiplied.by(ended.multipliers, self._transposed, p.cost, ends).least
        return Solved(bound, ended.columns, ended.multipliers)


class CubeDistance:
    """A growing cube is the distance in linf. It speaks `Distance`."""

    def __init__(self, program: Program) -> None:
        self._program, self._solver = program, Solver(program)
        self._transposed = program.matrix.T.tocsr()

    def solve(self, ends: Ends, winner: int, *, at_least: float, enough: float) -> Solved:
        p = self._program
        first, *others = p.winners[winner]
        margin = p.margins.matrix[[first]].toarray()[0]
        ends = p.won(ends, np.array(others, np.int64))
        proven, size, stride = at_least, at_least, HARDLY
        for _ in range(CUBES):
            ended = self._solver.solve(p.within(ends, size), margin)
            further = self._proven(ended.multipliers, ends, size, margin, p.ahead[first])
            if ended.columns is None:
                further = max(further, self._proven(ended.multipliers, ends, size, 0 * margin, 0.0))
            grown, proven = further > proven * (1 + HARDLY), max(proven, further)
            if proven >= enough or (ended.columns is not None and not grown):
                break
            if grown:
                size, stride = proven, HARDLY
            else:  # no solution, and hardly a proof of that: where a part just begins to be
                size, stride = max(size, TINY * p.reach) * (1 + stride), 10 * stride
            if size > p.reach:
                break
        return Solved(proven, ended.columns, ended.multipliers)

    def _proven(self, y: Numbers, ends: Ends, size: float, cost: Numbers, ahead: float) -> float:
        """The size of the largest cube in which multipliers prove that the cost is more than `ahead`; or 0."""
        p = self._program
        here = Multiplied.by(y, self._transposed, cost, p.within(ends, size))
        if not here.least > ahead:
            return 0.0
        if Multiplied.by(y, self._transposed, cost, ends).least > ahead:
            return np.inf
        slopes = here.reduced[p.inputs]
        gain, room = np.abs(slopes), np.where(slopes > 0, -ends.lower[p.inputs], ends.upper[p.inputs])
        left, root = here.least - ahead, size
        for _ in range(CUBES):  # Newton's way to the root of a convex function, which never passes it
            steep = gain[room > root].sum()
            step = (left - (gain * (np.minimum(room, root) - np.minimum(room, size))).sum()) / steep if steep else 0.0
            root += step
            if not step > HARDLY * HARDLY * root:
                break
        root = size + (root - size) * (1 - SHORT)
        return root if Multiplied.by(y, self._transposed, cost, p.within(ends, root)).least > ahead else size


MEASURED: dict[Norm, Callable[[Program], Distance]] = {Norm.L1: LeastCost, Norm.LINF: CubeDistance}
