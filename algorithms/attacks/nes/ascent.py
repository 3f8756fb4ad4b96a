"""NES on scores: ascent by slopes that antithetic Gaussian rows tell of (Ilyas et al. 2018, section 2.1)."""

import math

import numpy as np

from algorithms.attacks.nes.params import NESParams
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Rows, Scores
from algorithms.seam.case import Cohort
from algorithms.seam.question import Owners
from algorithms.searches.climbs.paired import PairedClimb
from algorithms.searches.directions.choice import directions
from algorithms.searches.scores.partial import seen
from algorithms.threads import Work
from algorithms.threats.threat import Threat

REMEMBERED = 5  # losses in a row: a last one below the first halves the step (the code of Ilyas et al. 2018)
SMALLEST = 1e-3  # step over the radius: 5e-5 at a radius of 0.05 (the same)


class NESAscent(PairedClimb):
    """An ascent has for each sample the mean slope so far, its step's share of the radius, and its last losses."""

    patience = 10

    def __init__(self, cohort: Cohort, threat: Threat, params: NESParams, work: Work) -> None:
        self.params = params
        law = directions(cohort.cases[0], params)
        super().__init__(cohort, threat, law, steps=params.steps, pairs=params.pairs, loss=params.loss, work=work)
        self.mean: Rows = np.zeros(self.x.shape, np.float32)  # of slopes
        self.share = np.full(len(self.x), params.step_size)
        self.heights = np.full((len(self.x), REMEMBERED), np.nan)  # the last losses, NaN where there are fewer

    def widths(self) -> tuple[Numbers, Numbers]:
        """Find sigma, and the one with which most rows lie about within the largest ball."""
        spread = 1.0 if self.threat.norm is Norm.LINF else math.sqrt(self.x.shape[1])
        return np.full(len(self.x), self.params.sigma * self.threat.box.typical_side), self.largest_radius() / spread

    def begin(self, who: Owners) -> None:
        self.share[who], self.heights[who] = self.params.step_size, np.nan

    def away(self, who: Owners) -> Numbers:
        """Tell how long sigma u is, u of N(0, I)."""
        return self.plateaus.step[who] * math.sqrt(self.x.shape[1])

    def step(self, who: Owners, offsets: Rows, rises: Numbers, levels: Numbers) -> None:
        """Go a step along the mean slope, steepest in the norm, and back into ball and box."""
        self._see_level(who, levels)
        estimate = self.slopes(who, offsets, rises, self.plateaus.step[who])
        beta = self.params.momentum
        self.mean[who] = beta * self.mean[who] + (1 - beta) * estimate
        length = self.share[who] * self.radius[who]
        moved = self.points[who] + length[:, None] * self.threat.ascent_direction(self.mean[who])
        self.points[who] = self.confine(who, moved)

    def _see_level(self, who: Owners, levels: Numbers) -> None:
        """Halve the steps of those whose loss has not risen over the last few."""
        heights = np.roll(self.heights[who], -1, axis=1)
        heights[:, -1] = levels
        at_rest = heights[:, -1] < heights[:, 0]  # never where NaN says that there are fewer
        self.share[who[at_rest]] = np.maximum(self.share[who[at_rest]] / 2, SMALLEST)
        heights[at_rest] = np.nan
        self.heights[who] = heights

    def judge(self, scores: Scores, owners: Owners) -> tuple[Numbers, Mask]:
        """Climb the loss of what is seen of the scores."""
        climbed, wins = super().judge(scores, owners)
        if self.params.information == "top_k":
            climbed, _ = super().judge(seen(scores, self.params.top, self.cohort.are_probabilities), owners)
        return climbed, wins
