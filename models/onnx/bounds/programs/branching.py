"""Branch and bound over the signs of rectifiers: the nearest input that the network answers otherwise.

Every node is a part of the ball: some rectifiers have a sign there, and one rival wins. Its linear program proves a
bound; the node with the least bound is taken apart next, at the rectifier whose chord the bound leans on most. The
least bound of all parts, open and closed, is a bound for the ball.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.geometry import lengths
from models.onnx.bounds.frontier import Frontier
from models.onnx.bounds.programs.distances import Solved, measured
from models.onnx.bounds.programs.program import Program

SIZE = 320  # bytes that an open node takes beside its signs
CLOSE = 1e-4  # share by which a closed search may leave the bound below the nearest point found
SURELY = 1e-12  # share by which float64 may be wrong about a ball
TOUCHING = 1e-7  # a rectifier whose h is no farther above max(z, 0), as a share of its width, has taken its sign
BEHIND = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 31)])  # where a point is looked for, behind a solution


@dataclass(order=True, frozen=True)
class ProgramNode:
    """A node is a part of the ball. `signs`: 1 above zero, -1 below, 0 where a rectifier may have either."""

    bound: float
    number: int  # in order of birth, so that no two are alike
    winner: int = field(compare=False)
    signs: NDArray[np.int8] = field(compare=False)


class Branching:
    """A branching goes on where it ended, node by node; how it is cut into slices changes nothing."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._distance = measured(program)
        none = np.zeros(len(program.z), np.int8)
        self._open: Frontier[ProgramNode] = Frontier(SIZE + len(none), closed=program.reach * (1 - SURELY))
        for winner in range(len(program.winners)):
            self._open.add(ProgramNode(0.0, winner, winner, none))
        self._born = len(self._open)
        self.nodes = 0
        self.nearest = np.inf  # of the changes found
        self.change: Numbers | None = None

    @property
    def lower(self) -> float:
        """The bound: nothing nearer is answered otherwise."""
        return self._open.bound

    def is_over(self, reached: float) -> bool:
        """Tell whether all that is left lies no nearer than what was reached, but for CLOSE."""
        return not self._open or bool(self.lower >= self._enough(reached))

    def step(self, reached: float) -> bool:
        """Take one node; tell whether a nearer change was found. `reached`: the distance of a confirmed point."""
        (node,) = self._open.take(1)
        self.nodes += 1
        enough, ends = self._enough(reached), self._program.signed(self._program.ends, node.signs)
        solved = self._distance.solve(ends, node.winner, at_least=node.bound, enough=enough, closely=False)
        branching = self._any(node) if solved.columns is None else self._choose(node, solved)
        if branching is None and solved.bound < enough:
            solved = self._distance.solve(ends, node.winner, at_least=solved.bound, enough=enough, closely=True)
            branching = self._any(node) if solved.columns is None else self._choose(node, solved)
        bound = max(node.bound, float(solved.bound))
        if bound >= enough:
            self._open.close(bound)
            return False
        if branching is None:
            self._open.close(bound)
        else:
            for sign in (1, -1):
                signs = node.signs.copy()
                signs[branching] = sign
                self._open.add(ProgramNode(bound, self._born, node.winner, signs))
                self._born += 1
        return solved.change is not None and self._look_behind(node, solved.change, min(reached, self.nearest))

    def _enough(self, reached: float) -> float:
        return min(reached * (1 - CLOSE), self._program.reach)

    def _choose(self, node: ProgramNode, solved: Solved) -> int | None:
        """The rectifier whose chord carries most of the bound, of those that the solution leaves between the signs."""
        p = self._program
        assert solved.columns is not None
        z, h = solved.columns[p.z], solved.columns[p.h]
        off = (h - np.maximum(z, 0)) / (p.upper[p.z] - p.lower[p.z])
        torn = (node.signs == 0) & (off > TOUCHING)
        if not torn.any():
            return None
        weight = np.abs(solved.multipliers[p.chords]) * p.row_upper[p.chords] + off * 1e-9
        return int(np.where(torn, weight, -1.0).argmax())

    def _any(self, node: ProgramNode) -> int | None:
        """Where the solver found neither a solution nor a proof: the widest that has no sign yet."""
        p = self._program
        free = node.signs == 0
        return int(np.where(free, p.upper[p.h], -1.0).argmax()) if free.any() else None

    def _look_behind(self, node: ProgramNode, direction: Numbers, nearer_than: float) -> bool:
        """Follow the network itself from the sample through a solution's input, until the winner wins."""
        p, first, last = self._program, 1.0, 2.0
        for shares in (BEHIND, np.linspace(0, 1, len(BEHIND))):
            changes = p.clipped(direction[:, None] * (first + (last - first) * shares))  # (d, m)
            wins: NDArray[np.bool_] = np.all(p.margins_at(changes)[p.winners[node.winner]] < 0, axis=0)
            at = int(wins.argmax())
            if not wins[at] or at == 0:
                break
            first, last = first + (last - first) * shares[at - 1], first + (last - first) * shares[at]
        away = float(lengths(changes[:, at][None], p.norm)[0])
        if not wins[at] or not away < nearer_than * (1 - CLOSE / 10) or away > p.reach:
            return False
        self.change, self.nearest = changes[:, at], away
        return True
