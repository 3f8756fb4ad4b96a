"""The threat model: norm, box, radius and goal. All methods speak of it in these words."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.norms import Norm

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
