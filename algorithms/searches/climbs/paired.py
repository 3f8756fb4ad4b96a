"""Climbs whose rows lie in pairs, ahead of and behind a point along drawn directions: together they tell the slope."""

from abc import abstractmethod

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Cohort
from algorithms.seam.question import Owners
from algorithms.searches.climbs.estimated import EstimatedClimb
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.scores.estimates import antithetic
from algorithms.searches.scores.margins import ScoreLoss
from algorithms.threads import Work
from algorithms.threats.threat import Threat

AT_AN_EDGE = 4.0  # an offset that the box halves has a quarter of the variance


class PairedClimb(EstimatedClimb):
    """A paired climb has a law of directions, and for each sample the random numbers that they are drawn by."""

    def __init__(
        self, cohort: Cohort, threat: Threat, law: DirectionLaw, *, steps: int, pairs: int, loss: ScoreLoss, work: Work
    ) -> None:
        super().__init__(cohort, threat, steps=steps, pairs=pairs, loss=loss, work=work)
        self.law, self.rngs = law, [stream.at(0) for stream in cohort.streams]

    @abstractmethod
    def away(self, who: Owners) -> Numbers:
        """Tell how far from the points of these samples rows lie, in l2 (m,)."""

    def probe(self, who: Owners, ahead: Rows, behind: Rows) -> None:
        """Draw directions u_j, and put x + u_j ahead and x - u_j behind, as far away as is told."""
        center = self.points[who][:, None]
        for i, owner in enumerate(who.tolist()):
            self.law.draw(self.rngs[owner], ahead[i].reshape(-1, *self.shape))
        ahead *= self.away(who).astype(np.float32)[:, None, None]
        np.subtract(center, ahead, out=behind)
        ahead += center
        for rows in (ahead, behind):
            self.threat.clip(rows, center, out=rows)

    def slopes(self, who: Owners, offsets: Rows, rises: Numbers, sigma: Numbers) -> Numbers:
        """Estimate the slopes (m, d) of the loss, from offsets that the box may have halved.

        `sigma` (m,): the size of an offset u_j over that of one drawn from N(0, I).
        """
        width = 2 * sigma[:, None]
        estimate = antithetic(offsets, rises, np.zeros_like(rises), sigma) / width
        lower, upper = self.threat.limits(self.x[who])
        is_at_edge = (self.points[who] <= lower) | (self.points[who] >= upper)
        return estimate * np.where(is_at_edge, AT_AN_EDGE, 1.0)
