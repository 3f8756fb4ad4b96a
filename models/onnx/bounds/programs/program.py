"""The program of one sample: rows and columns whose solutions hold all that the network does in a ball.

Tjeng, Xiao, Tedrake, ICLR 2019, arXiv:1711.07356. Every curve is made of rectifiers h = max(z, 0). One whose sign is
known in the ball is linear; any other is a column z, a column h and three rows, h >= 0, h >= z and the chord above
both: what is left of the big-M rows when the binary is relaxed and projected out. Setting the binary is then a change
of bounds: z >= 0 and h = z, or z <= 0 and h = 0.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.programs.expressions import Expression, Matrix, Positions, widened

OUTWARD = 1e-12  # share by which a chord is lifted: more than float64 can lose of it


@dataclass(frozen=True)
class Ends:
    """Ends are what columns (n,) and rows (m,) may be, in a part of a program."""

    lower: Numbers
    upper: Numbers
    row_lower: Numbers
    row_upper: Numbers


@dataclass(frozen=True)
class Layer:
    """A layer is z columns in the order in which they can be computed, and the h columns that rectify some of them."""

    z: Positions
    matrix: Matrix  # (len(z), columns before)
    constant: Numbers
    rectified: Positions  # positions in z
    h: Positions


@dataclass(frozen=True)
class Program:
    """A program is row_lower <= matrix @ v <= row_upper, lower <= v <= upper, with the cost to be least."""

    lower: Numbers  # (n,) of columns, all finite
    upper: Numbers
    cost: Numbers
    matrix: Matrix  # (m, n)
    row_lower: Numbers  # (m,)
    row_upper: Numbers
    z: Positions  # (k,) columns of the rectifiers that are not settled
    h: Positions
    above: Positions  # (k,) their rows h - z >= 0
    chords: Positions  # (k,) their rows h - slope z <= offset
    margins: Expression  # (r,) of one class over another
    rivals: Positions  # (r,) their rows, which bind nothing until a winner is chosen
    winners: tuple[Positions, ...]  # for each, which margins must be lost for the sample to be broken
    layers: tuple[Layer, ...]
    inputs: Positions  # columns of the input's change, upwards
    downwards: Positions | None  # and downwards, where those are others
    norm: Norm
    reach: float  # the radius within which all of this holds

    @property
    def ahead(self) -> Numbers:
        """Tell how large the rows of lost margins may be at the most: rounding may have lost them."""
        return self.margins.error - self.margins.constant

    def change(self, columns: Numbers) -> Numbers:
        """Read the input's change (d,) off a solution."""
        up = columns[self.inputs]
        return np.asarray(up if self.downwards is None else up - columns[self.downwards])

    @property
    def ends(self) -> Ends:
        """Give the ends of all columns and rows, in the whole ball."""
        return Ends(self.lower, self.upper, self.row_lower, self.row_upper)

    def signed(self, ends: Ends, signs: NDArray[np.int8]) -> Ends:
        """Give rectifiers (k,) their signs: 1 above zero, -1 below, 0 either."""
        lower, upper, row_upper = ends.lower.copy(), ends.upper.copy(), ends.row_upper.copy()
        above, below = signs > 0, signs < 0
        lower[self.z[above]] = 0.0
        row_upper[self.above[above]] = 0.0  # h = z
        upper[self.z[below]] = 0.0
        upper[self.h[below]] = 0.0
        return Ends(lower, upper, ends.row_lower, row_upper)

    def won(self, ends: Ends, margins: Positions) -> Ends:
        """Have some margins lost."""
        row_upper = ends.row_upper.copy()
        row_upper[self.rivals[margins]] = self.ahead[margins]
        return replace(ends, row_upper=row_upper)

    def within(self, ends: Ends, size: float) -> Ends:
        """Keep each feature's change within so much."""
        lower, upper = ends.lower.copy(), ends.upper.copy()
        lower[self.inputs] = np.maximum(lower[self.inputs], -size)
        upper[self.inputs] = np.minimum(upper[self.inputs], size)
        return replace(ends, lower=lower, upper=upper)

    def clipped(self, changes: Numbers) -> Numbers:
        """Keep changes (d, m) within box and reach."""
        most = self.upper[self.inputs]
        least = self.lower[self.inputs] if self.downwards is None else -self.upper[self.downwards]
        return np.clip(changes, least[:, None], most[:, None])

    def margins_at(self, changes: Numbers) -> Numbers:
        """Compute margins (r, m) of changed inputs (d, m) within reach, in float64."""
        v = np.zeros((len(self.lower), changes.shape[1]))
        v[self.inputs] = changes
        if self.downwards is not None:
            v[self.inputs], v[self.downwards] = np.maximum(changes, 0), np.maximum(-changes, 0)
        for layer in self.layers:
            z = layer.matrix @ v[: layer.matrix.shape[1]] + layer.constant[:, None]
            v[layer.z], v[layer.h] = z, np.maximum(z[layer.rectified], 0)
        return np.asarray(self.margins.matrix @ v + self.margins.constant[:, None])


@dataclass
class ProgramDraft:
    """A draft is the columns and rows that a program has so far."""

    lower: list[Numbers] = field(default_factory=list)
    upper: list[Numbers] = field(default_factory=list)
    cost: list[Numbers] = field(default_factory=list)
    matrices: list[Matrix] = field(default_factory=list)
    row_lower: list[Numbers] = field(default_factory=list)
    row_upper: list[Numbers] = field(default_factory=list)
    rectifiers: list[tuple[Positions, Positions, Positions, Positions]] = field(
        default_factory=list
    )  # z, h, above, chords
    layers: list[Layer] = field(default_factory=list)
    width: int = 0
    height: int = 0

    def add_columns(self, lower: Numbers, upper: Numbers, cost: float = 0.0) -> Positions:
        """Add columns and return their positions."""
        self.lower.append(lower)
        self.upper.append(upper)
        self.cost.append(np.full(len(lower), cost))
        self.width += len(lower)
        return np.arange(self.width - len(lower), self.width)

    def add_rows(self, matrix: Matrix, lower: Numbers, upper: Numbers) -> Positions:
        """Add rows and return their positions."""
        self.matrices.append(matrix)
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        self.height += len(lower)
        return np.arange(self.height - len(lower), self.height)

    def unit(self, columns: Positions, factors: Numbers | float = 1.0) -> Matrix:
        """Make a matrix of one number a row, each in the column given."""
        from scipy import sparse

        n = len(columns)
        data = np.broadcast_to(np.asarray(factors, np.float64), n).copy()
        return sparse.csr_array((data, columns, np.arange(n + 1)), shape=(n, self.width))

    def of(self, columns: Positions) -> Expression:
        """Make the expression of columns, each its own."""
        zeros = np.zeros(len(columns))
        return Expression(self.unit(columns), zeros, zeros)

    def rectify(self, e: Expression, lower: Numbers, upper: Numbers) -> Expression:
        """Express max(e, 0), where e is known to lie between two numbers."""
        from scipy import sparse

        alive = np.flatnonzero(upper > 0)
        within = e.at(alive)
        z = self.add_columns(lower[alive], upper[alive])
        rows = within.plus(Expression(-self.unit(z), 0 * within.constant, 0 * within.error))
        self.add_rows(rows.matrix, -within.constant - within.error, -within.constant + within.error)
        torn = np.flatnonzero(lower[alive] < 0)
        low, high = lower[alive][torn], upper[alive][torn]
        h = self.add_columns(np.zeros(len(torn)), high)
        self.layers.append(Layer(z, within.matrix, within.constant, torn, h))
        above = self.add_rows(
            widened(self.unit(h), self.width) - self.unit(z[torn]), np.zeros(len(torn)), np.full(len(torn), np.inf)
        )
        slope = high / (high - low)
        offset = np.maximum(-slope * low, high - slope * high)
        offset += OUTWARD * (np.abs(slope * low) + high)
        chords = self.add_rows(self.unit(h) - self.unit(z[torn], slope), np.full(len(torn), -np.inf), offset)
        self.rectifiers.append((z[torn], h, above, chords))
        made = z.copy()
        made[torn] = h
        spread = sparse.csr_array(
            (np.ones(len(alive)), made, np.searchsorted(alive, np.arange(len(lower) + 1))),
            shape=(len(lower), self.width),
        )
        return Expression(spread, np.zeros(len(lower)), np.zeros(len(lower)))

    def finished(
        self,
        margins: Expression,
        winners: tuple[Positions, ...],
        inputs: tuple[Positions, Positions | None],
        balls: Balls,
    ) -> Program:
        """Close the draft with one row for each margin."""
        from scipy import sparse

        free = np.full(len(margins.constant), np.inf)
        rivals = self.add_rows(margins.matrix, -free, free)
        z, h, above, chords = (
            np.concatenate(parts) if parts else np.zeros(0, np.int64) for parts in _transposed(self.rectifiers)
        )
        return Program(
            lower=np.concatenate(self.lower),
            upper=np.concatenate(self.upper),
            cost=np.concatenate(self.cost),
            matrix=sparse.vstack([widened(part, self.width) for part in self.matrices], format="csr"),
            row_lower=np.concatenate(self.row_lower),
            row_upper=np.concatenate(self.row_upper),
            z=z,
            h=h,
            above=above,
            chords=chords,
            margins=replace(margins, matrix=widened(margins.matrix, self.width)),
            rivals=rivals,
            winners=winners,
            layers=tuple(self.layers),
            inputs=inputs[0],
            downwards=inputs[1],
            norm=balls.norm,
            reach=float(balls.radii[0]),
        )


def _transposed(rectifiers: list[tuple[Positions, Positions, Positions, Positions]]) -> list[list[Positions]]:
    return [[one[i] for one in rectifiers] for i in range(4)]
