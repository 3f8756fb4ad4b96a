"""The threat model: norm, box, radius and goal. All methods speak of it in these words."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray


class Norm(StrEnum):
    L1 = "l1"
    L2 = "l2"
    LINF = "linf"

    @property
    def p(self) -> float:
        return {"l1": 1.0, "l2": 2.0, "linf": np.inf}[self.value]

    @property
    def dual(self) -> "Norm":
        """q with 1/p + 1/q = 1."""
        return {"l1": Norm.LINF, "l2": Norm.L2, "linf": Norm.L1}[self.value]


NORMS = (Norm.L1, Norm.L2, Norm.LINF)

TargetRule = Literal["random", "least_likely", "runner_up", "given"]


@dataclass(frozen=True)
class Box:
    """Valid inputs: lower <= x <= upper elementwise. Unbounded where infinite."""

    lower: NDArray[np.float32]  # () or (*shape)
    upper: NDArray[np.float32]  # () or (*shape)

    @classmethod
    def unbounded(cls) -> "Box":
        return cls(np.float32(-np.inf) * np.ones((), np.float32), np.float32(np.inf) * np.ones((), np.float32))

    @property
    def is_bounded(self) -> bool:
        return bool(np.all(np.isfinite(self.lower)) and np.all(np.isfinite(self.upper)))

    def contains(self, rows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(m, *shape) -> (m,)"""
        inside = (rows >= self.lower) & (rows <= self.upper)
        return np.asarray(inside.reshape(len(rows), -1).all(axis=1))


@dataclass(frozen=True)
class Threat:
    """`epsilon` given: is there an adversarial point within it? None: how far is the nearest, or how far is it safe?"""

    norm: Norm = Norm.L2
    box: Box = Box(np.zeros((), np.float32), np.ones((), np.float32))
    epsilon: float | None = None
    targeted: TargetRule | None = None
