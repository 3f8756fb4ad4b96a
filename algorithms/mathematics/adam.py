"""Adam: steps of steady length along gradients averaged over steps (Kingma & Ba, ICLR 2015, arXiv:1412.6980)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

TINY = 1e-8  # epsilon of the paper


class Adam:
    """An Adam holds the averages of rows (m, d), each row by itself, and starts afresh where it is made."""

    def __init__(self, shape: tuple[int, ...], beta_1: float = 0.9, beta_2: float = 0.999) -> None:
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.first: NDArray[np.float32] = np.zeros(shape, np.float32)  # m of the paper
        self.second: NDArray[np.float64] = np.zeros(shape)  # v: squares of float32 pass its range
        self._steps: NDArray[np.int64] = np.zeros((shape[0], 1), np.int64)

    def step(self, gradients: NDArray[Any]) -> NDArray[np.float32]:
        """Take gradients (m, d) in; returns where to go, at rate 1: downhill, about 1 in each feature at first."""
        self._steps += 1
        self.first *= self.beta_1
        self.first += (1 - self.beta_1) * gradients
        self.second *= self.beta_2
        self.second += (1 - self.beta_2) * np.square(gradients, dtype=np.float64)
        first = self.first / (1 - self.beta_1**self._steps).astype(np.float32)
        return np.asarray(-first / self.metric, np.float32)

    @property
    def metric(self) -> NDArray[np.float64]:
        """Tell what each feature's average is divided by before a step, (m, d): the metric that steps are taken in."""
        return np.sqrt(self.second / (1 - self.beta_2**self._steps)) + TINY

    def keep(self, rows: NDArray[Any]) -> None:
        """Go on with some of the rows only."""
        self.first, self.second, self._steps = self.first[rows], self.second[rows], self._steps[rows]

    def restart(self, rows: NDArray[Any]) -> None:
        """Forget what some of the rows have met."""
        self.first[rows], self.second[rows], self._steps[rows] = 0, 0, 0
