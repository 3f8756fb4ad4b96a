"""The search of AutoZOOM, one run from the sample on (Tu et al. 2019, algorithm 1).

    z = 0;  c = c_0;  q = 1
    for k = 1, 2, ...
        ask about x = clip(x_0 + D(z)) and about clip(x_0 + D(z + beta u_j)), u_1 ... u_q random of length 1
        g = d' / q  sum_j  (L(z + beta u_j) - L(z)) / beta  u_j,       L = distance^2 + c f
        z = z - Adam(g)
        at the first success: q = q_fine, and Adam forgets
        every `switch` steps: c goes up where nothing succeeded since the last time, else down

D decodes d' numbers to a change of the sample. Samples move in step, so that their rows are asked together; c, q, Adam
and the directions are each sample's own.
"""

import math

import numpy as np

from algorithms.attacks.autozoom.params import AutoZOOMParams
from algorithms.attacks.autozoom.spaces import Latents, space_of
from algorithms.mathematics.adam import Adam
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Rows, Scores
from algorithms.seam.case import Conversation, Step
from algorithms.seam.claims import Note
from algorithms.seam.question import Owners
from algorithms.searches.directions.unit import make_unit
from algorithms.searches.penalties.constant_search import ConstantSearch
from algorithms.searches.scores.estimates import one_sided
from algorithms.searches.scores.margins import hinges, margins
from algorithms.searches.scores.plateaus import Plateaus
from algorithms.searches.tallies.successes import Successes

NEARER = 0.999  # a success is told where it has less than this share of the distance of the last one
WIDEST = 1.0  # of a side: the largest difference, on plateaus


class LatentSearch:
    """A search has a point for each of its owners, positions in the cohort, who leave it one by one."""

    def __init__(self, successes: Successes, params: AutoZOOMParams, owners: Owners) -> None:
        self.successes, self.params, self.cohort, self.owners = successes, params, successes.cohort, owners
        n, self.d = successes.x.shape
        self.space = space_of(self.cohort.cases[0], params)
        self.z: Latents = np.zeros((len(owners), self.space.size), np.float32)
        self.adam = Adam(self.z.shape)
        self.rngs = [stream.at(0) for stream in self.cohort.streams]
        # What is known of each sample of the cohort, (n,).
        self.unit = _units(successes)
        self.constants = ConstantSearch(n, params.constant)
        self.plateaus = Plateaus(np.full(n, params.difference), np.full(n, WIDEST))
        self.directions = np.ones(n, np.int64)  # q
        self.has_won: Mask = np.zeros(n, np.bool_)  # since c was changed
        self.asked = np.ones(n, np.int64)  # rows; the driver has asked about the sample
        clean = hinges(self._margins(np.asarray(self.cohort.scores), np.arange(n)), params.confidence)
        self.short = np.maximum(clean, np.finfo(np.float32).tiny)  # f at the sample

    def run(self) -> Conversation:
        """Take one step after the other, and claim what is nearer than before."""
        for step in range(self.params.iterations):
            self._leave()
            if not len(self.owners):
                return
            if step and step % self.params.switch == 0:
                self._switch()
            yield from self._step(is_first=step == 0)

    def _leave(self) -> None:
        """Go on with those who are neither spent, nor broken within epsilon, nor on a plateau without end."""
        epsilon = self.successes.threat.epsilon
        goes_on = (self.cohort.live & ~self.plateaus.are_blind)[self.owners]
        if epsilon is not None:
            goes_on &= self.successes.distance[self.owners] > epsilon
        if not goes_on.all():
            self.owners, self.z = self.owners[goes_on], self.z[goes_on]
            self.adam.keep(goes_on)

    def _switch(self) -> None:
        """Change c as Carlini & Wagner do, within the run: the point stays. After a success Adam forgets, too."""
        self.constants.learn(self.owners, self.has_won[self.owners])
        self.has_won[:] = False
        self.adam.restart(np.flatnonzero(np.isfinite(self.successes.distance[self.owners])))

    def _step(self, *, is_first: bool) -> Step[None]:
        owners, q = self.owners, self.directions[self.owners]
        is_drawn = np.arange(q.max()) < q[:, None]  # (m, q at most)
        u = self._draw(is_drawn)
        beta = self.plateaus.step[owners] * math.sqrt(self.space.size)  # each number's share of it is the difference
        beside = self.z[:, None] + beta.astype(np.float32)[:, None, None] * u
        is_row = np.insert(is_drawn, 0, True, axis=1)
        who, starts = np.repeat(owners, q + 1), np.cumsum(q + 1) - q - 1
        rows = self._decoded(np.concatenate([self.z[:, None], beside], axis=1)[is_row], who)
        scores = yield from self._ask(rows, who, starts if is_first else None)
        losses = np.full(is_row.shape, np.nan)
        losses[is_row] = yield from self._judge(rows, who, scores)
        flat_shares = _flat_shares(rows, scores, starts, q)
        slopes = np.empty((len(owners), self.space.size))
        for count in np.unique(q).tolist():  # each apart: how many numbers are summed decides how they are rounded
            some = np.flatnonzero(q == count)
            for owner in self.plateaus.see(owners[some], flat_shares[some], count).tolist():
                yield Note(self.plateaus.of(owner), owner=owner)
            ahead = losses[some, 1 : count + 1]
            slopes[some] = self.space.size * one_sided(u[some, :count], ahead, losses[some, 0], beta[some])
        self.z += np.float32(self.params.learning_rate) * self.adam.step(slopes)

    def _draw(self, is_drawn: Mask) -> Latents:
        """Directions (m, q at most, d') of length 1, each sample's from its own stream; 0 where none is drawn."""
        u = np.zeros((*is_drawn.shape, self.space.size), np.float32)
        for place, owner in enumerate(self.owners.tolist()):
            self.rngs[owner].standard_normal(out=u[place, : is_drawn[place].sum()], dtype=np.float32)
        make_unit(u.reshape(-1, self.space.size))
        return u

    def _decoded(self, latents: Latents, who: Owners) -> Rows:
        """Valid points (r, d) of latents (r, d')."""
        x = self.successes.x[who]
        offsets = self.unit[who, None].astype(np.float32) * self.space.decode(latents)
        points: Rows = self.successes.threat.clip(x + offsets, x)
        return points

    def _ask(self, rows: Rows, who: Owners, known: Owners | None) -> Step[Scores]:
        """Scores (r, classes). `known`: rows that are the samples themselves, about which the driver has asked."""
        is_asked = np.ones(len(rows), np.bool_)
        if known is not None:
            is_asked[known] = False
        self.asked += np.bincount(who[is_asked], minlength=len(self.asked))
        answer: Scores = yield from self.successes.ask(rows[is_asked], who[is_asked])
        if known is None:
            return answer
        scores = np.asarray(self.cohort.scores)[who]
        scores[is_asked] = answer
        return scores

    def _judge(self, rows: Rows, who: Owners, scores: Scores) -> Step[Numbers]:
        """Claim what is adversarial and nearer than before. L (r,) of the rows: their mean square, and c f / f_0."""
        margin = self._margins(scores, who)
        through = margin > self.params.confidence
        away = self.successes.threat.lengths(rows.astype(np.float64) - self.successes.x[who])
        self.has_won[who[through]] = True
        yield from self._keep(rows[through], who[through], away[through])
        f = hinges(margin, self.params.confidence) / self.short[who]
        return np.asarray((away / self.unit[who]) ** 2 / self.d + self.constants.constant[who] * f)

    def _keep(self, rows: Rows, who: Owners, away: Numbers) -> Step[None]:
        """Claim each sample's nearest of these successes; tell of the first, after which estimates are finer."""
        order = np.lexsort((away, who))
        owners, first = np.unique(who[order], return_index=True)
        best = order[first]
        is_nearer = away[best] < NEARER * self.successes.distance[owners]
        owners, best = owners[is_nearer], best[is_nearer]
        new = owners[~np.isfinite(self.successes.distance[owners])]
        yield from self.successes.claim(owners, rows[best])
        for owner in new.tolist():
            reached = float(self.successes.distance[owner])
            told = {"first_success_queries": int(self.asked[owner]), "first_success_distance": reached}
            yield Note(told, owner=owner)
        self.adam.restart(np.searchsorted(self.owners, new))
        self.constants.failed[new] = 0.0
        self.directions[new] = self.params.fine_directions

    def _margins(self, scores: Scores, who: Owners) -> Numbers:
        targets = None if self.cohort.targets is None else self.cohort.targets[who]
        return margins(scores, self.cohort.labels[who], targets, self.cohort.are_probabilities)


def _flat_shares(rows: Rows, scores: Scores, starts: Owners, q: Owners) -> Numbers:
    """The shares (m,) of the rows beside a point, at `starts` (m,), that have its scores and are not clipped to it."""
    point = np.repeat(starts, q + 1)
    is_flat = (scores == scores[point]).all(axis=1) & (rows != rows[point]).any(axis=1)
    return np.asarray(np.add.reduceat(is_flat.astype(np.int64), starts) / q)


def _units(successes: Successes) -> Numbers:
    """What lengths are measured in (n,): the box's side, or where it has no end the size of the sample."""
    sides = np.asarray(successes.threat.box.sides, np.float64)
    ends = sides[np.isfinite(sides) & (sides > 0)]
    size = np.maximum(1.0, np.abs(successes.x).max(axis=1))
    return np.asarray(np.full(len(size), np.median(ends)) if len(ends) else size, np.float64)
