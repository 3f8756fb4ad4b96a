"""How far a part of the ball begins: the least distance at which its relaxed program has a solution, proven.

l1: the distance is the program's cost. linf: the cost is a margin, within a cube that grows to where the multipliers of
the last solution no longer prove that it is won; that root is itself proven, and the next cube. Cubes change nothing
but the ends of the input's columns, which a dual simplex takes a hundred times faster than rows |d_i| <= s.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from models.onnx.bounds.programs.program import Ends, Program
from models.onnx.bounds.programs.proof import Multiplied
from models.onnx.bounds.programs.solver import Solver

CUBES = 50  # at a node at the most: four are usual
KEPT = 256  # planes that stay for the next nodes: all hold for ever, but a program with thousands takes long
PLANES = 200  # at a node at the most
LOOSELY = 0.1  # share by which planes may lie below the square where a node is taken apart
ABOUT = 0.02  # share by which a solution may be longer than is proven, and still shows the way
CLOSELY = 2e-5  # and where it is not
FEW = 64  # features that planes can follow
HARDLY = 1e-6  # share by which a cube is not worth growing
TINY = 1e-9  # of the reach, a first cube where one has to be grown from nothing
SHORT = 1e-9  # share by which the root of a proof is missed, so that it is proven itself


@dataclass(frozen=True)
class Solved:
    """A node solved is a distance that is proven, a solution about there, and the multipliers that say so.

    `change`: the input's, where the network may be answered otherwise if it is followed a little farther.
    """

    bound: float
    columns: Numbers | None
    change: Numbers | None
    multipliers: Numbers


class Distance(Protocol):
    """A distance is measured in one norm."""

    def solve(self, ends: Ends, winner: int, *, at_least: float, enough: float, closely: bool) -> Solved:
        """Find the distance of the part of a program within these ends where a winner wins, or that it is enough."""
        ...


class LeastCost:
    """A least cost is the distance in l1. It speaks `Distance`."""

    def __init__(self, program: Program) -> None:
        self._program, self._solver = program, Solver(program)
        self._transposed = program.matrix.T.tocsr()

    def solve(self, ends: Ends, winner: int, *, at_least: float, enough: float, closely: bool) -> Solved:
        del at_least, closely
        p = self._program
        ends = p.won(ends, p.winners[winner])
        ended = self._solver.solve(ends, p.cost, enough=enough)
        if ended.columns is None and Multiplied.by(ended.multipliers, self._transposed, 0 * p.cost, ends).least > 0:
            return Solved(np.inf, None, None, ended.multipliers)
        bound = Multiplied.by(ended.multipliers, self._transposed, p.cost, ends).least
        return Solved(bound, ended.columns, _moved(p, ended.columns), ended.multipliers)


class TangentPlanes:
    """In l2 half the square is the cost, and planes that touch it lie below it. It speaks `Distance`.

    A node whose solution is nearer than enough has to be taken apart anyhow: there the planes need not lie closely.
    """

    def __init__(self, program: Program) -> None:
        self._program, self._solver = program, Solver(program)
        self._transposed = program.matrix.T.tocsr()
        self._laid = 0

    def solve(self, ends: Ends, winner: int, *, at_least: float, enough: float, closely: bool) -> Solved:
        p = self._program
        ends, none = p.won(ends, p.winners[winner]), 0 * p.cost
        proven, least, best = at_least, np.inf, np.zeros(len(p.inputs))
        near = CLOSELY if closely else LOOSELY
        for _ in range(PLANES):
            ended = self._solver.solve(ends, p.cost, enough=enough**2 / 2)
            found = Multiplied.by(ended.multipliers, self._transposed, none, ends, squared=p.inputs)
            proven = max(proven, found.length)
            change = np.clip(-found.reduced[p.inputs], ends.lower[p.inputs], ends.upper[p.inputs])
            if ended.columns is None:
                if Multiplied.by(ended.multipliers, self._transposed, none, ends).least > 0:
                    proven = np.inf
                break
            solution = ended.columns[p.inputs]
            if (length := float(np.linalg.norm(solution))) < least:
                least, best = length, solution
            if proven >= enough or proven >= least * (1 - near):
                break
            self._touch((change + solution) / 2)
        if least <= proven * (1 + ABOUT):
            change = best
        return Solved(proven, ended.columns, change, ended.multipliers)

    def _touch(self, change: Numbers) -> None:
        """Lay a plane: half the square of d is at least change.d - ||change||^2 / 2. Of too many half are dropped."""
        if self._laid == KEPT:
            self._solver.forget(KEPT // 2)
            self._laid -= KEPT // 2
        self._laid += 1
        p = self._program
        columns = np.append(p.inputs, np.flatnonzero(p.cost))
        self._solver.add(columns, np.append(-change, 1.0), -float(change @ change) / 2)


class LeastSquare:
    """In l2, with more features than planes can follow, a quadratic program is solved. It speaks `Distance`."""

    def __init__(self, program: Program) -> None:
        self._program, self._linear = program, Solver(program)
        self._squared = Solver(program, squared=program.inputs)
        self._transposed = program.matrix.T.tocsr()

    def solve(self, ends: Ends, winner: int, *, at_least: float, enough: float, closely: bool) -> Solved:
        del enough, closely
        p = self._program
        ends, none = p.won(ends, p.winners[winner]), 0 * p.cost
        ended = self._linear.solve(ends, none)  # only whether there is a solution: a simplex can prove that
        if ended.columns is None:
            is_proven = Multiplied.by(ended.multipliers, self._transposed, none, ends).least > 0
            return Solved(np.inf if is_proven else at_least, None, None, ended.multipliers)
        ended = self._squared.solve(ends, none)
        found = Multiplied.by(ended.multipliers, self._transposed, none, ends, squared=p.inputs)
        change = None if ended.columns is None else ended.columns[p.inputs]
        return Solved(max(at_least, found.length), ended.columns, change, ended.multipliers)


class CubeDistance:
    """A growing cube is the distance in linf. It speaks `Distance`."""

    def __init__(self, program: Program) -> None:
        self._program, self._solver = program, Solver(program)
        self._transposed = program.matrix.T.tocsr()

    def solve(self, ends: Ends, winner: int, *, at_least: float, enough: float, closely: bool) -> Solved:
        del closely
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
        return Solved(proven, ended.columns, _moved(p, ended.columns), ended.multipliers)

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


def _moved(program: Program, columns: Numbers | None) -> Numbers | None:
    return None if columns is None else program.change(columns)


def measured(program: Program) -> Distance:
    """Choose how distances of a program are measured: by its norm, and in l2 by the number of features."""
    if program.norm is Norm.L2:
        return TangentPlanes(program) if len(program.inputs) <= FEW else LeastSquare(program)
    return LeastCost(program) if program.norm is Norm.L1 else CubeDistance(program)
