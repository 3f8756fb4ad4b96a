"""HiGHS on one program: its dual simplex goes on from where it ended before, after bounds or the cost have changed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from algorithms.mathematics.arrays import Numbers
from models.onnx.bounds.programs.expressions import Positions
from models.onnx.bounds.programs.program import Ends, Program

OPTIONS: dict[str, bool | int | str] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "solver": "simplex",
    "presolve": "off",
    "random_seed": 0,
    "simplex_iteration_limit": 100_000,  # a node's; a hundred are usual
}
STEEPEST = 1e15  # factor in a row: HiGHS takes no program with a larger one


def is_taken(program: Program) -> bool:
    """Tell whether HiGHS takes a program."""
    return bool(np.abs(program.matrix.data).max(initial=0.0) < STEEPEST)


@dataclass(frozen=True)
class SolverEnded:
    """The solver ended with `columns`, None where it says that there are none, and with multipliers of the rows.

    Where it gave up they are all zero: then nothing is proven, and nothing is wrong.
    """

    columns: Numbers | None
    multipliers: Numbers


class Solver:
    """A solver holds one program, and the basis of where it ended.

    `squared`: columns of which half the square is part of the cost, too.
    """

    def __init__(self, program: Program, squared: Positions | None = None) -> None:
        import highspy

        self._known = highspy.HighsModelStatus
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]  # its types know half of its methods
        for name, value in OPTIONS.items():
            self._highs.setOptionValue(name, value)
        self._highs.passModel(_model(program, highspy))
        if squared is not None:
            self._highs.passHessian(_squares(len(program.cost), squared, highspy))
        self._ends = program.ends
        self._cost, self._rows = program.cost, len(program.row_lower)

    def solve(self, ends: Ends, cost: Numbers, *, enough: float = np.inf) -> SolverEnded:
        """Find the least cost within these ends, or that it is no less than `enough`."""
        self._change(ends, cost)
        self._highs.setOptionValue("objective_bound", enough)
        self._highs.run()
        status = self._highs.getModelStatus()
        if status == self._known.kInfeasible:
            found = self._highs.getDualRay()
            return SolverEnded(None, np.array(found[2])[: self._rows] if found[1] else np.zeros(self._rows))
        solution = self._highs.getSolution()
        multipliers = np.array(solution.row_dual)[: self._rows]
        return SolverEnded(
            np.array(solution.col_value) if status == self._known.kOptimal else None,
            multipliers if len(multipliers) == self._rows else np.zeros(self._rows),
        )

    def add(self, columns: Positions, factors: Numbers, least: float) -> None:
        """Add a row: factors * columns >= least. It has no multiplier among those that are told."""
        self._highs.addRow(least, np.inf, len(columns), columns.astype(np.int32), factors)

    def forget(self, count: int) -> None:
        """Take away the first of the rows that were added."""
        self._highs.deleteRows(count, np.arange(self._rows, self._rows + count, dtype=np.int32))

    def _change(self, ends: Ends, cost: Numbers) -> None:
        """Tell HiGHS what is other than before."""
        before, highs = self._ends, self._highs
        columns = np.flatnonzero((ends.lower != before.lower) | (ends.upper != before.upper)).astype(np.int32)
        if len(columns):
            highs.changeColsBounds(len(columns), columns, ends.lower[columns], ends.upper[columns])
        rows = np.flatnonzero((ends.row_lower != before.row_lower) | (ends.row_upper != before.row_upper))
        if len(rows):
            highs.changeRowsBounds(len(rows), rows.astype(np.int32), ends.row_lower[rows], ends.row_upper[rows])
        dear = np.flatnonzero(cost != self._cost).astype(np.int32)
        if len(dear):
            highs.changeColsCost(len(dear), dear, cost[dear])
        self._ends, self._cost = ends, cost


def _model(program: Program, highspy: Any) -> Any:
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = program.matrix.shape
    model.col_cost_, model.col_lower_, model.col_upper_ = program.cost, program.lower, program.upper
    model.row_lower_, model.row_upper_ = program.row_lower, program.row_upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_ = program.matrix.indptr, program.matrix.indices
    model.a_matrix_.value_ = program.matrix.data
    return model


def _squares(count: int, squared: Positions, highspy: Any) -> Any:
    hessian, ones = highspy.HighsHessian(), np.zeros(count, np.int32)
    ones[squared] = 1
    hessian.dim_, hessian.format_ = count, highspy.HessianFormat.kTriangular
    hessian.start_ = np.concatenate([[0], np.cumsum(ones)]).astype(np.int32)
    hessian.index_, hessian.value_ = squared.astype(np.int32), np.ones(len(squared))
    return hessian
