"""NES on scores: ascent by slopes that antithetic Gaussian rows tell of (Ilyas et al. 2018, section 2.1)."""

import math

import numpy as np

from algorithms.attacks.nes.params import NESParams
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Rows, Scores
from algorithms.seam.case import Cohort
from algorithms.seam.question import Owners
from algorithms.searches.climbs.estimated import EstimatedClimb
from algorithms.searches.directions.choice import directions
from algorithms.searches.scores.estimates import antithetic
from algorithms.searches.scores.margins import losses, margins
from algorithms.searches.scores.partial import seen
from algorithms.threads import Work
from algorithms.threats.threat import Threat

REMEMBERED = 5  # losses in a row: a last one below the first halves the step (the code of Ilyas et al. 2018)
SMALLEST = 1e-3  # step over the radius: 5e-5 at a radius of 0.05 (the same)
AT_AN_EDGE = 4.0  # an offset that the box halves has a quarter of the variance


class NESAscent(EstimatedClimb):
    """An ascent has for each sample the mean slope so far, its step's share of the radius, and its last losses."""

    patience = 10

    def __init__(self, cohort: Cohort, threat: Threat, params: NESParams, work: Work) -> None:
        self.params = params
        super().__init__(cohort, threat, steps=params.steps, pairs=params.pairs, work=work)
        self.rngs = [stream.at(0) for stream in cohort.streams]
        self.law = directions(cohort.cases[0], params)
        self.slopes: Rows = np.zeros(self.x.shape, np.float32)
        self.share = np.full(len(self.x), params.step_size)
        self.heights = np.full((len(self.x), REMEMBERED), np.nan)  # the last losses, NaN where there are fewer

    def widths(self) -> tuple[Numbers, Numbers]:
        """Find sigma, and the one with which most rows lie about within the largest ball."""
        spread = 1.0 if self.threat.norm is Norm.LINF else math.sqrt(self.x.shape[1])
        return np.full(len(self.x), self.params.sigma * self.threat.box.typical_side), self.largest_radius() / spread

    def begin(self, who: Owners) -> None:
        self.share[who], self.heights[who] = self.params.step_size, np.nan

    def probe(self, who: Owners, ahead: Rows, behind: Rows) -> None:
        """Draw u_j and put x + sigma u_j ahead, x - sigma u_j behind."""
        center = self.points[who][:, None]
        for i, owner in enumerate(who.tolist()):
            self.law.draw(self.rngs[owner], ahead[i].reshape(-1, *self.shape))
        ahead *= (self.plateaus.step[who] * math.sqrt(self.x.shape[1])).astype(np.float32)[:, None, None]
        np.subtract(center, ahead, out=behind)
        ahead += center
        for rows in (ahead, behind):
            self.threat.clip(rows, center, out=rows)

    def step(self, who: Owners, offsets: Rows, rises: Numbers, levels: Numbers) -> None:
        """Go a step along the mean slope, steepest in the norm, and back into ball and box."""
        self._see_level(who, levels)
        width = 2 * self.plateaus.step[who][:, None]
        estimate = antithetic(offsets, rises, np.zeros_like(rises), width[:, 0] / 2) / width
        lower, upper = self.threat.limits(self.x[who])
        estimate *= np.where((self.points[who] <= lower) | (self.points[who] >= upper), AT_AN_EDGE, 1.0)
        beta = self.params.momentum
        self.slopes[who] = beta * self.slopes[who] + (1 - beta) * estimate
        length = self.share[who] * self.radius[who]
        moved = self.points[who] + length[:, None] * self.threat.ascent_direction(self.slopes[who])
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
        """Climb the loss that was asked for, of what is seen of the scores."""
        about = self.about(owners)
        wins = margins(scores, *about)
        if self.params.information == "top_k":
            scores = seen(scores, self.params.top, self.cohort.are_probabilities)
        elif self.params.loss == "margin":
            return wins, wins > 0
        return losses(self.params.loss, scores, *about), wins > 0
