"""Carlini & Wagner's attack in linf: minimize c f(x) + sum_i max(0, |x_i - x0_i| - tau), for smaller and smaller tau.

S&P 2017, section VI-C. A solve at tau begins at the last point, tries constants one after the other, and succeeds where
a point is adversarial that does not exceed tau; then tau falls to 0.9 of what that point needed. Where a solve fails
the paper stops; in units of the sample tau is then looked for between the failure and the success.
"""

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from algorithms.attacks.carlini_wagner.params import CarliniWagnerParams
from algorithms.mathematics.adam import Adam
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.norms import Norm
from algorithms.seam.case import Conversation
from algorithms.seam.question import Owners
from algorithms.searches.penalties.hinge import NO_AIM, Hinge, hinges_in
from algorithms.searches.penalties.sounding import Sounding
from algorithms.searches.penalties.variables import variables_of
from algorithms.searches.tallies.successes import Successes, on_host

SHRINK = 0.9  # of what a success needed: the next tau
SMALLEST = 1 / 256  # tau at which the paper stops, in a box of side 1
SLACK = 1e-3  # by which share a success may exceed tau
CLOSE = 0.995  # a search ends where the largest failure is within so much of the smallest success
WIDEST = 1e6  # tau of a box without ends
MOST = 20.0  # the largest constant of the paper, where it is doubled; in units of the sample one is enough


def run(successes: Successes, params: CarliniWagnerParams) -> Conversation:
    """Solve for smaller and smaller tau, all samples in step, and claim what is nearer than before."""
    yield from successes.begin_at_hints(params.confidence)
    hinges = yield from hinges_in(params.units, successes, params.confidence)
    solves, sounding = Solves(successes, hinges, params), Sounding(successes)
    while len(owners := np.intersect1d(sounding.going(), np.flatnonzero(~solves.is_over))):
        points = solves.w.points()[owners]
        away = on_host(successes.threat.lengths(points - successes.x[owners])) / solves.length[owners]
        scores, slopes = yield from sounding.ask(owners, points, replace(hinges[-1], aims=solves.aims()))
        through = yield from sounding.keep(owners, points, away, scores, params.confidence)
        solves.hear(owners, away, through)
        solves.move(owners, slopes)
    yield from sounding.vanishing.tell(successes.cohort.live)


class Solves:
    """Solves are one a sample, each at its own tau, try and step. Lengths are in units of `length` (n,)."""

    def __init__(self, successes: Successes, hinges: tuple[Hinge, ...], params: CarliniWagnerParams) -> None:
        self.x0, self.length, n = successes.x, hinges[0].distance, len(successes.x)
        self.params, self.is_published = params, params.units == "box"
        self.schedule = params.schedule(Norm.LINF)
        constants = [self.schedule.constant]
        while self.is_published and 2 * constants[-1] <= MOST:
            constants.append(2 * constants[-1])
        nobody = np.full(n, NO_AIM)
        self.tries = list(product(constants, [nobody if hinge.aims is None else hinge.aims for hinge in hinges]))
        self.w = variables_of(params.variables, params.units, self.x0, self.length, successes.threat)
        self.adam = Adam(self.x0.shape)
        self.now, self.step, self.solved = (np.zeros(n, np.int64) for _ in range(3))  # which try; its step
        self.w.restart(np.arange(n), successes.nearest, self.length)
        self.failed, self.reached = np.zeros(n), successes.distance / self.length  # of hints; inf where there is none
        widest = np.minimum(successes.farthest() / self.length, WIDEST)
        self.tau: Numbers = np.minimum(widest, SHRINK * self.reached)
        self.is_over: Mask = np.zeros(n, np.bool_)

    def aims(self) -> NDArray[np.int64]:
        """Name the rivals (n,) that these tries count alone, or NO_AIM."""
        return np.stack([aims for _, aims in self.tries])[self.now, np.arange(len(self.now))]

    def hear(self, owners: Owners, away: Numbers, through: Mask) -> None:
        """Take in how far the points are, and which are adversarial: some solves end, and some tries."""
        within = through & (away <= (1 + SLACK) * self.tau[owners])
        won, spent = owners[within], owners[~within & (self.step[owners] >= self.schedule.steps)]
        failed = spent[self.now[spent] == len(self.tries) - 1]
        self.reached[won] = np.minimum(self.reached[won], away[within])
        self.failed[failed] = np.maximum(self.failed[failed], self.tau[failed])
        self.now[spent] = (self.now[spent] + 1) % len(self.tries)
        self._narrow(np.concatenate([won, failed]))
        if self.is_published:
            self.is_over[failed] = True
        begun = np.concatenate([won, spent])
        self.step[begun] = 0
        self.adam.restart(begun)

    def _narrow(self, ended: Owners) -> None:
        """Choose the next tau of solves that have ended."""
        failed, reached = self.failed[ended], self.reached[ended]
        between = (failed + np.where(np.isfinite(reached), reached, failed)) / 2
        self.tau[ended] = np.where(failed > 0, between, SHRINK * np.minimum(self.tau[ended], reached))
        self.solved[ended] += 1
        is_close = failed >= CLOSE * reached  # without a success the next solve goes on where this one ended
        is_small = (self.tau[ended] <= SMALLEST) & self.is_published
        self.is_over[ended] |= is_close | is_small | (self.solved[ended] >= self.schedule.search_steps)

    def move(self, owners: Owners, slopes: NDArray[np.float64]) -> None:
        """Take a step of Adam with those of the owners that go on, given the slopes (m, d) of f at their points."""
        gradients, rate = np.zeros(self.x0.shape), np.zeros(len(self.x0))
        c = np.array([constant for constant, _ in self.tries])[self.now[owners], None]
        if not self.is_published:  # c f may not outweigh the penalty of the steepest feature
            steepest = np.abs(slopes).max(axis=1, keepdims=True) * self.length[owners, None]
            c = c / np.where(steepest > 0, steepest, 1.0)
        delta = (self.w.points()[owners].astype(np.float64) - self.x0[owners]) / self.length[owners, None]
        beyond = np.abs(delta) > self.tau[owners, None]
        gradients[owners] = c * slopes + np.where(beyond, np.sign(delta), 0.0) / self.length[owners, None]
        rate[owners] = self.params.rate(self.schedule, self.step[owners])
        self.w.move((rate[:, None] * self.adam.step(self.w.slopes(gradients))).astype(np.float32))
        self.step[owners] += 1
