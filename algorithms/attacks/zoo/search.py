"""The search of ZOO: one descent after the other, each with another constant c a sample.

    for each constant:                                                    ConstantSearch
        begin at the sample
        for each step:                                                    CoordinateDescent
            draw B coordinates; ask about the point and both sides of each: 2 B + 1 rows
            keep the nearest of them that is adversarial
            move the coordinates drawn, by the slopes and curvatures of distance + c f along them

Samples of a block move in step, so that their rows are asked together; constants, coordinates and leaving early are
each sample's own.
"""

import numpy as np

from algorithms.attacks.zoo.descent import CoordinateDescent, Setting
from algorithms.attacks.zoo.elsewhere import begin_at_noise
from algorithms.attacks.zoo.grid import spaces
from algorithms.attacks.zoo.params import ZooParams
from algorithms.attacks.zoo.units import Units
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.seam.access import Rows, Scores
from algorithms.seam.case import Conversation, Step
from algorithms.seam.claims import Note
from algorithms.seam.question import BATCH_BYTES, Owners
from algorithms.seam.questions.scores import AskScores
from algorithms.searches.penalties.constant_search import ConstantSearch
from algorithms.searches.penalties.penalty import REPEATS, STUCK
from algorithms.searches.scores.margins import logits, margins
from algorithms.searches.scores.plateaus import Plateaus
from algorithms.searches.tallies.successes import Successes

NEARER = 0.999  # a success is told where it has less than this share of the distance of the last one
WIDEST = 0.25  # of a side: the largest difference, on plateaus; both probes fit in at one side of a point


class ZooSearch:
    """A search is a cohort's."""

    def __init__(self, successes: Successes, params: ZooParams) -> None:
        self.successes, self.params, self.schedule = successes, params, params.schedule
        n, cohort = len(successes.x), successes.cohort
        sides = np.broadcast_to(successes.threat.box.sides, successes.x.shape)
        size = np.maximum(1.0, np.abs(successes.x).max(axis=1, keepdims=True))
        self.constants = ConstantSearch(n, self.schedule.constant)
        self.plateaus = Plateaus(np.full(n, params.difference), np.full(n, WIDEST))
        self.setting = Setting(
            successes=successes,
            params=params,
            spaces=spaces(successes.shape, successes.threat, params.grids or ()),
            sides=np.where(np.isfinite(sides), sides, size),
            rngs=[stream.at(0) for stream in cohort.streams],
            plateaus=self.plateaus,
            units=Units(cohort, params.confidence, params.units),
            is_elsewhere=np.zeros(n, np.bool_),
        )

    def run(self) -> Conversation:
        """Descend with so many constants, and claim what is nearer than before."""
        for outer in range(self.schedule.search_steps):
            owners = self.going()
            if outer == self.schedule.search_steps - 1 and self.schedule.search_steps >= REPEATS:
                self.constants.repeat_the_best(owners)
            for block in self._blocks(owners):
                won = yield from self._descend(block, is_first=outer == 0)
                self.constants.learn(block, won)
            yield from self._look_elsewhere()

    def _look_elsewhere(self) -> Step[None]:
        """Let samples that see a plateau all around, and have no success, begin anew at the boundary."""
        plateaus, is_broken = self.plateaus, np.isfinite(self.successes.distance)
        blind = np.flatnonzero(plateaus.are_blind & ~is_broken & self.successes.cohort.live)
        has_begun = yield from begin_at_noise(self.successes, blind, self.setting.rngs, self.params.confidence)
        found = blind[has_begun]
        self.setting.is_elsewhere[found] = True
        plateaus.are_blind[found], plateaus.step[found] = False, self.params.difference
        self.constants.restart(found, self.schedule.constant)

    def going(self) -> Owners:
        """Name who is neither spent, nor broken within epsilon, nor on a plateau without end."""
        epsilon = self.successes.threat.epsilon
        is_within = False if epsilon is None else self.successes.distance <= epsilon
        return np.flatnonzero(self.successes.cohort.live & ~is_within & ~self.plateaus.are_blind)

    def _blocks(self, owners: Owners) -> list[Owners]:
        """Few enough samples at a time for the rows that are held at once; who begins elsewhere comes last."""
        size = max(1, BATCH_BYTES // (self.successes.x[0].nbytes * (1 + 2 * self.params.coordinates)))
        is_elsewhere = self.setting.is_elsewhere[owners]
        kinds = owners[~is_elsewhere], owners[is_elsewhere]
        return [kind[start : start + size] for kind in kinds for start in range(0, len(kind), size)]

    def _descend(self, block: Owners, *, is_first: bool) -> Step[Mask]:
        """Returns which of the block (m,) were adversarial on the way."""
        n = len(self.successes.x)
        won, least, before = np.zeros(n, np.bool_), np.full(n, np.inf), np.full(n, np.inf)  # losses: so far; at a look
        descent = CoordinateDescent(self.setting, block, is_first=is_first)
        for step in range(self.schedule.steps):
            owners, probes = descent.owners, descent.probe(step)
            scores = yield from self._ask(
                owners, probes.rows, is_at_sample=step == 0 and not self.setting.is_elsewhere[block].any()
            )
            ahead = self._margins(scores, owners)
            through = ahead > self.params.confidence
            won[owners] |= through.any(axis=1)
            yield from self._keep(owners, probes.rows, np.where(through, descent.away, np.inf))
            for owner in self.plateaus.see(owners, _flat_shares(scores)):
                yield Note(self.plateaus.of(int(owner)), owner=int(owner))
            z = logits(scores, self.successes.cohort.are_probabilities)
            loss = descent.move(z, np.isnan(ahead), self.constants.constant[owners], step)
            least[owners] = np.fmin(least[owners], loss)
            stays = np.isin(owners, self.going())
            if self.params.looks and step % max(1, self.schedule.steps // self.params.looks) == 0:
                stays &= ~(least[owners] > STUCK * before[owners])
                before[owners] = least[owners]
            if not stays.any():
                break
            descent.keep(np.flatnonzero(stays))
        return won[block]

    def _ask(self, owners: Owners, rows: Rows, *, is_at_sample: bool) -> Step[Scores]:
        """Returns the scores (m, 1 + 2 B, classes) of rows. The driver has asked about the sample itself before."""
        asked = rows[:, 1:] if is_at_sample else rows
        flat = self.successes.shaped(asked.reshape(-1, rows.shape[2]))
        answer = yield from AskScores(flat, np.repeat(owners, asked.shape[1]))
        scores = answer.reshape(*asked.shape[:2], -1)
        if not is_at_sample:
            return scores
        clean = np.asarray(self.successes.cohort.scores)[owners, None]
        return np.concatenate([clean, scores], axis=1)

    def _margins(self, scores: Scores, owners: Owners) -> Numbers:
        """(m, 1 + 2 B)"""
        cohort, who = self.successes.cohort, np.repeat(owners, scores.shape[1])
        targets = None if cohort.targets is None else cohort.targets[who]
        flat = scores.reshape(-1, scores.shape[2])
        return margins(flat, cohort.labels[who], targets, cohort.are_probabilities).reshape(scores.shape[:2])

    def _keep(self, owners: Owners, rows: Rows, squares: Numbers) -> Step[None]:
        """Claim each sample's nearest row, of squared distances (m, 1 + 2 B), where it is nearer than before."""
        best = squares.argmin(axis=1)
        least = squares[np.arange(len(owners)), best]
        nearer = np.flatnonzero(np.sqrt(least) < NEARER * self.successes.distance[owners])
        yield from self.successes.claim(owners[nearer], rows[nearer, best[nearer]])


def _flat_shares(scores: Scores) -> Numbers:
    """The shares (m,) of lines on which both probes have the scores of their point, of (m, 1 + 2 B, classes)."""
    is_same = (scores[:, 1:] == scores[:, :1]).all(axis=2)
    lines = is_same.shape[1] // 2
    return np.asarray((is_same[:, :lines] & is_same[:, lines:]).mean(axis=1))
