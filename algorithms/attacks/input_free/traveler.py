"""A point on its way to a class: steps along the sign of a gradient that is estimated within tiled regions.

The NES attack of Ilyas et al., ICML 2018, arXiv:1804.08598, as Du et al. 2018 run it: without a ball, in the whole box.
All lengths are shares of the sides of the box.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.attacks.input_free.tiling import ImageRows, Tiling
from algorithms.mathematics.arrays import Numbers
from algorithms.searches.scores.estimates import antithetic
from algorithms.threats.threat import Threat

LEAST_STEP = 5e-5
PATIENCE = 5  # margins in a row, the last of which is below the first where the step is halved


class Traveler:
    """A traveler is at a point, from which margins are seen to grow in some direction. `threat`: of images."""

    def __init__(self, start: ImageRows, tiling: Tiling, threat: Threat, step: float, momentum: float) -> None:
        self.point, self.tiling = start, tiling  # start (1, C, H, W)
        self._threat, self._step, self._momentum = threat, step, momentum
        self._uphill = np.zeros((1, *tiling.shape))
        self._drawn: NDArray[np.float32] = np.zeros((0, *tiling.shape), np.float32)
        self._recent: list[float] = []

    def around(self, rng: np.random.Generator, pairs: int, sigma: float) -> ImageRows:
        """Draw valid rows (2 pairs, C, H, W), half of them ahead of the point and half behind it."""
        self._drawn = rng.standard_normal((pairs, *self.tiling.shape), np.float32)
        away = self._units(sigma) * self.tiling.tile(self._drawn)
        return self._valid(np.concatenate([self.point + away, self.point - away]))

    def hear(self, margins: Numbers, sigma: float) -> None:
        """Take in the margins (2 pairs,) of the rows `around` the point: they tell where margins grow."""
        ahead, behind = np.split(margins, 2)
        slope = antithetic(self._drawn, ahead, behind, sigma)
        self._uphill = self._momentum * self._uphill + (1 - self._momentum) * slope

    def ahead(self) -> ImageRows:
        """Find the next point, (1, C, H, W)."""
        signs = np.sign(self._uphill).astype(np.float32)
        return self._valid(self.point + self._units(self._step) * self.tiling.tile(signs))

    def arrive(self, point: ImageRows, margin: float) -> None:
        """Go to the next point, which has this margin. Where margins have not grown for a while, steps get smaller."""
        self.point = point
        self._recent.append(margin)
        if len(self._recent) < PATIENCE:
            return
        if self._recent[-1] < self._recent[0]:
            self._step = max(self._step / 2, LEAST_STEP)
            self._recent.clear()
        else:
            del self._recent[0]

    def _units(self, share: float) -> NDArray[np.float32]:
        return np.asarray(share * self._threat.box.sides, np.float32)

    def _valid(self, images: ImageRows) -> ImageRows:
        return np.asarray(self._threat.clip(images, self.point))
