"""Carlini & Wagner's attack in l0: minimize ||x(w) - x0||_2^2 + c f on fewer and fewer features.

S&P 2017, section VI-B. A solve moves the features that are still free, begins at the last point, doubles the constant
where it fails, and ends as soon as a point is adversarial. What did not move there is set back to the sample, and of
the rest what matters least: sum |delta| times sum |df/dx| of a feature, or over the channels of a pixel where pixels
are counted. (The published code sums signed changes, which may cancel.) Where a solve fails the paper stops; in units
of the sample it is tried again with half as many set back.
"""

import numpy as np
from numpy.typing import NDArray

from algorithms.attacks.carlini_wagner.params import CarliniWagnerParams
from algorithms.mathematics.adam import Adam
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.counting import largest, spread, weights
from algorithms.mathematics.norms import Counting, Norm
from algorithms.seam.access import Rows
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.question import Owners
from algorithms.searches.minimum_norm.crossing import try_crossing
from algorithms.searches.minimum_norm.iterates import Iterates
from algorithms.searches.penalties.hinge import Hinge, hinges_in
from algorithms.searches.penalties.sounding import Sounding
from algorithms.searches.penalties.variables import variables_of
from algorithms.searches.tallies.successes import Successes
from algorithms.threats.threat import Threat

UNMOVED = 1e-4  # of a side of the box, or of the length: a smaller change is none (their code)
UNIMPORTANT = 0.01  # the paper sets back what matters no more than that, and the next
ROOTS = 0.3  # of the number of what is changed: as many roots are set back at the most (their code)
GROWTH = 2.0  # of a constant that fails
MOST = 2e6  # the largest constant of the paper; in units of the sample it is 16 times the first


def run(cohort: Cohort, threat: Threat[Counting], params: CarliniWagnerParams) -> Conversation:
    """Solve on fewer and fewer features, all samples in step, and claim what changes fewer than before."""
    iterates = Iterates(cohort, threat)
    yield from iterates.successes.begin_at_hints(params.confidence)
    if params.units == "sample" and params.confidence == 0:
        yield from try_crossing(iterates)
    successes, in_l2 = iterates.successes, Threat(Norm.L2, threat.box, targeted=threat.targeted)
    hinge = (yield from hinges_in(params.units, Successes(cohort, in_l2), params.confidence))[-1]
    solves, sounding = FreeSolves(successes, hinge, params), Sounding(successes)
    sounding.best = successes.distance.copy()
    while len(owners := np.intersect1d(sounding.going(), np.flatnonzero(~solves.is_over))):
        points = solves.points(owners)
        changed = np.asarray(successes.threat.lengths(points - successes.x[owners]))
        scores, slopes = yield from sounding.ask(owners, points, hinge)
        through = yield from sounding.keep(owners, points, changed, scores, params.confidence)
        solves.move(owners[~through], slopes[~through])
        solves.win(owners[through], points[through], changed[through])
        solves.give_up(owners[~through])
    yield from sounding.vanishing.tell(cohort.live)


class FreeSolves:
    """Free solves are one a sample, each on the features that are free there. Lengths are in units of `length` (n,)."""

    def __init__(self, successes: Successes, hinge: Hinge, params: CarliniWagnerParams) -> None:
        self.x0, self.threat, self.length = successes.x, successes.threat, hinge.distance
        self.params, self.is_published = params, params.units == "box"
        self.schedule, n = params.schedule(Counting.L0), len(self.x0)
        sides = np.broadcast_to(self.threat.box.sides, self.x0.shape)
        self.unmoved = UNMOVED * np.where(np.isfinite(sides), sides, self.length[:, None])
        self.is_free: Mask = np.ones(self.x0.shape, np.bool_)
        self.w = variables_of(params.variables, params.units, self.x0, self._unit(np.arange(n)), self.threat)
        self.adam, self.step, self.solved = Adam(self.x0.shape), np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.constant: Numbers = np.full(n, self.schedule.constant)
        self.slopes: NDArray[np.float64] = np.zeros(self.x0.shape)  # of f, where it last was above 0
        self.won: Rows = self.x0.copy()  # the point of the last success
        self.changed, self.free, self.failed = np.zeros(n), np.zeros(n), np.zeros(n)  # there; now; in the last failure
        self.is_over: Mask = np.zeros(n, np.bool_)

    def points(self, owners: Owners) -> Rows:
        """Find the points (m, d): what is not free, or has hardly moved, is as in the sample."""
        x0, points = self.x0[owners], self.w.points()[owners]
        is_moved = np.abs(points.astype(np.float64) - x0) > self.unmoved[owners]
        return np.where(is_moved & self.is_free[owners], points, x0)

    def move(self, owners: Owners, slopes: NDArray[np.float64]) -> None:
        """Take a step of Adam with these samples, given the slopes (m, d) of f at their points."""
        self.slopes[owners] = slopes
        gradients, rate = np.zeros(self.x0.shape), np.zeros((len(self.x0), 1), np.float32)
        delta = (self.w.points()[owners].astype(np.float64) - self.x0[owners]) / self.length[owners, None]
        slopes = 2 * delta / self.length[owners, None] + self.constant[owners, None] * slopes
        gradients[owners] = np.where(self.is_free[owners], slopes, 0.0)
        rate[owners, 0] = self.params.rate(self.schedule, self.step[owners])
        self.w.move(rate * self.adam.step(self.w.slopes(gradients)))
        self.step[owners] += 1

    def win(self, owners: Owners, points: Rows, changed: Numbers) -> None:
        """End solves in these adversarial points (m, d), and begin others on fewer features."""
        self.won[owners], self.changed[owners] = points, changed
        self.failed[owners] = np.where(self.failed[owners] < changed, self.failed[owners], 0.0)
        self._narrow(owners)

    def give_up(self, owners: Owners) -> None:
        """Try larger constants where steps are spent; end solves for which there are none."""
        spent = owners[self.step[owners] >= self.schedule.steps]
        is_last = GROWTH * self.constant[spent] > (MOST if self.is_published else 16 * self.schedule.constant)
        again, failed = spent[~is_last], spent[is_last]
        self.constant[again] *= GROWTH
        self.adam.restart(again)
        self.step[again] = 0
        self.failed[failed] = self.free[failed]
        self.is_over[failed] |= self.is_published | (self.changed[failed] == 0)
        self._narrow(failed)

    def _narrow(self, owners: Owners) -> None:
        """Choose what is free next: some of what the last success has changed."""
        weighed = weights(
            self.won[owners].astype(np.float64) - self.x0[owners], self.slopes[owners], self.threat.pixels
        )
        changed = self.changed[owners]
        if self.is_published:
            least = 1 + ((weighed > 0) & (weighed <= UNIMPORTANT)).sum(axis=1)
            fewer = np.minimum(np.ceil(ROOTS * np.sqrt(changed)), least)
        else:
            fewer = np.floor((changed - self.failed[owners]) / 2)
        self.free[owners] = changed - fewer
        self.solved[owners] += 1
        is_spent = self.solved[owners] >= self.schedule.search_steps
        self.is_over[owners] |= (fewer < 1) | (self.free[owners] < 1) | is_spent
        self.is_free[owners] = spread(largest(weighed, self.free[owners]), self.threat.pixels)
        self._begin(owners)

    def _begin(self, owners: Owners) -> None:
        """Begin at the last success, or at the sample, with what is free."""
        start = np.where(self.is_free[owners], self.won[owners], self.x0[owners])
        self.w.restart(owners, start, self._unit(owners))
        self.adam.restart(owners)
        self.step[owners] = 0

    def _unit(self, owners: Owners) -> Numbers:
        """What a feature is moved by at a rate of 1, (m,): the length, shared among those that are free."""
        return np.asarray(self.length[owners] / np.sqrt(np.maximum(self.is_free[owners].sum(axis=1), 1)))
