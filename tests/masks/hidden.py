"""What a masked model is here: a file, samples, and the exact radius that the file hides."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import NORMS, Norm

Numbers = NDArray[np.float64]
ROUNDING = 1e-4  # relative: what float32 does to the boundaries below


@dataclass(frozen=True)
class Hidden:
    """A hidden radius r* (n,) in each norm where it is known, of samples x (n, d) with labels y, in the box [0, 1].

    `slack`: by which share of r* the boundary of the file may lie elsewhere, for its rounding.
    """

    data: bytes
    x: NDArray[np.float32]
    y: NDArray[np.int64]
    radii: Mapping[Norm, Numbers]
    slack: float = ROUNDING


def within_the_box(x: NDArray[np.float32], radii: Mapping[Norm, Numbers]) -> Mapping[Norm, Numbers]:
    """Radii found without a box hold in [0, 1] where no ball of theirs reaches its walls."""
    room = np.minimum(x, 1 - x).min(axis=1)
    assert all((radius < room).all() for radius in radii.values()), "a ball reaches out of the box"
    return radii


# Linear models of three classes. So many features that random changes alone find nothing near.

FEATURES = 40
_RNG = np.random.default_rng(7)
W = _RNG.normal(0, 0.5, (3, FEATURES))
B = -W.sum(axis=1) / 2


def linear_samples(count: int = 2) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Rows in the middle of the box, at much the same distance from where the linear model changes its mind."""
    x = np.random.default_rng(0).uniform(0.35, 0.65, (4000, FEATURES)).astype(np.float32)
    y = (x.astype(np.float64) @ W.T + B).argmax(axis=1)
    near = linear_radii(x, y)
    chosen = np.flatnonzero((near[Norm.L2] > 0.05) & (near[Norm.L2] < 0.06) & (near[Norm.L1] < 0.3))[:count]
    return x[chosen], y[chosen]


def linear_radii(x: NDArray[np.float32], y: NDArray[np.int64]) -> dict[Norm, Numbers]:
    """min over rivals of (f_y - f_j) / ||w_y - w_j||_q."""
    f, found = x.astype(np.float64) @ W.T + B, {}
    for norm in NORMS:
        reach = np.array([[lengths((a - b)[None], norm.dual)[0] for b in W] for a in W])
        with np.errstate(invalid="ignore"):
            found[norm] = np.nanmin((f[np.arange(len(x)), y, None] - f) / reach[y], axis=1)
    return found


# Ridges: all depends on one number t = w . (x - 1/2).

RIDGE = _RNG.normal(0, 0.5, FEATURES)


def on_ridge(t: Numbers) -> NDArray[np.float32]:
    """Rows (n, FEATURES) whose number is t (n,), within rounding."""
    across = np.random.default_rng(0).uniform(-0.1, 0.1, (len(t), FEATURES))
    across -= np.outer(across @ RIDGE, RIDGE) / (RIDGE @ RIDGE)
    return (0.5 + across + np.outer(t, RIDGE) / (RIDGE @ RIDGE)).astype(np.float32)


def ridge_radii(moves: Numbers) -> dict[Norm, Numbers]:
    """To change t by so much takes |move| / ||w||_q."""
    return {norm: np.abs(moves) / lengths(RIDGE[None], norm.dual)[0] for norm in NORMS}


# Cells: all depends on which cell of a grid a row lies in; few features, so that all cells can be looked at.


def cell_radii(
    x: NDArray[np.float32], y: NDArray[np.int64], edges: Numbers, labels: NDArray[np.int64]
) -> dict[Norm, Numbers]:
    """The distance to the nearest cell of another label. `edges` (k + 1,) cut every axis; `labels` (k, ..., k)."""
    cells = np.stack(np.meshgrid(*[np.arange(len(edges) - 1)] * labels.ndim, indexing="ij"), -1).reshape(
        -1, labels.ndim
    )
    low, high, flat = edges[cells], edges[cells + 1], labels.ravel()
    found = {norm: np.zeros(len(x)) for norm in NORMS}
    for i, row in enumerate(x.astype(np.float64)):
        away = np.maximum(np.maximum(low - row, row - high), 0)[flat != y[i]]
        for norm in NORMS:
            found[norm][i] = lengths(away, norm).min()
    return found
