"""How steep a sample's margins were found to be, and how far away: what a score may conclude from it.

Let L_j(R) be the steepest slope of margin j = f_label - f_j that was met within R of the sample: the gradient's dual
norm at a point, or what the margin lost on the straight way to a point over the length of that way. Neither is ever
above the true local Lipschitz constant. Were L_j(R) that constant, the answer could not turn into j within R where
margin_j / L_j(R) >= R: the largest such R is the distance that these slopes show.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.searches.boundaries.rivals import reach

ROUNDING = 4e-6  # share of the scores by which a difference of float32 margins may be wrong


class Steepness:
    """Steepness is that of one sample's margins, met at points around it."""

    def __init__(self, margins: Numbers) -> None:
        self.margins = margins  # (r,) at the sample
        self._away = np.zeros(0)  # (n,) distance of each point from the sample
        self._norms = np.zeros((0, len(margins)))  # (n, r) of one rival's gradient there; 0 for the others
        self._falls = np.zeros((0, len(margins)))  # (n, r) what margins lose on the way there, over its length

    def meet(self, away: Numbers, rivals: NDArray[np.int64], norms: Numbers, there: Numbers, size: float) -> None:
        """Take in points (m,): the gradient norm of one rival at each, by its position, and all margins (m, r).

        `size` is that of the largest score.
        """
        ways = np.where(away > 0, away, np.inf)[:, None]
        falls = np.maximum((self.margins - there - ROUNDING * size) / ways, 0.0)
        own = np.zeros_like(falls)
        own[np.arange(len(away)), rivals] = norms
        self._away = np.append(self._away, away)
        self._norms, self._falls = np.concatenate([self._norms, own]), np.concatenate([self._falls, falls])

    def steepest_gradients(self, radius: float) -> Numbers:
        """Find the largest gradient norm (r,) within a radius; 0 where none was met."""
        return np.asarray(self._norms[self._away <= radius].max(axis=0, initial=0.0))

    def steepest_falls(self, radius: float) -> Numbers:
        """Find the steepest way (r,) within a radius; 0 where no margin fell."""
        return np.asarray(self._falls[self._away <= radius].max(axis=0, initial=0.0))

    def within(self, radius: float) -> Numbers:
        """Divide each margin by its steepest slope within a radius: (r,), the radius at most."""
        steepest = np.maximum(self.steepest_gradients(radius), self.steepest_falls(radius))
        return np.minimum(reach(self.margins, steepest), radius)

    def shown(self) -> Numbers:
        """Find the largest radius R (r,) with margin / L(R) >= R for each rival; infinite where no slope was met."""
        order = np.argsort(self._away, kind="stable")
        until_next = np.append(self._away[order][1:], np.inf)  # L stays as it is until the next point's distance
        steepest = np.maximum.accumulate(np.maximum(self._norms, self._falls)[order], axis=0)
        return np.asarray(np.minimum(reach(self.margins, steepest), until_next[:, None]).max(axis=0))
