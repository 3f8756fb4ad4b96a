"""NES with partial information: from an adversarial point towards the sample, inside a ball that shrinks.

Ilyas et al. 2018, section 2.2: a step of the ascent is taken within a ball that is smaller by delta, as long as the
class that is aimed at stays in sight; delta is halved where no step does. In sight is one of the highest scores, or, by
labels (section 2.3), the class that is answered. There the share of successes among rows spread about a point stands
for its score.

Departures: steps and delta are shares of the distance, and delta grows again while things go well; untargeted, every
other class will do; the way begins where the line from the start to the sample leaves what is in sight; and where no
radius is asked for, what is kept in sight is a success.
"""

import math
from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from algorithms.attacks.nes.params import NESParams
from algorithms.attacks.nes.sight import Glimpse, Sight, is_in_sight, sight_of
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Note, UpperBound
from algorithms.seam.question import BATCH_BYTES
from algorithms.searches.directions.choice import directions
from algorithms.searches.labels import starts
from algorithms.searches.labels.line import connect, halve
from algorithms.searches.scores.estimates import antithetic
from algorithms.searches.scores.plateaus import Plateaus, flat_shares
from algorithms.threats.threat import Threat

FIRST_DELTA, MOST_DELTA, LEAST_DELTA = 0.1, 0.5, 1e-3  # shares of the distance, by which the ball shrinks
TRIALS = 6  # of a step, each half as long as the one before
HALVINGS = 10  # of a line to the sample
TOGETHER = 64  # samples whose questions make a batch


def approach(case: Case, threat: Threat, params: NESParams) -> Conversation:
    """Approach one sample until epsilon is reached, the steps are used up, or none leads nearer; claim successes."""
    way = Approach(case, threat, params)
    if not (yield from way.begin()):
        return
    for _ in range(params.steps):
        if way.is_over:
            return
        yield from way.advance()


class Approach:
    """An approach is one sample's, and knows where it stands: at a point that shows the class aimed at."""

    def __init__(self, case: Case, threat: Threat, params: NESParams) -> None:
        self.case, self.threat, self.params = case, threat, params
        self.see: Sight = sight_of(case, params)
        self.smoothing = 1 if params.information == "top_k" and case.target is not None else params.smoothing
        self.rng, self.law = case.stream.at(1), directions(case, params)
        self.point, self.distance, self.shown = case.x, np.inf, np.inf
        self.delta = FIRST_DELTA
        self.slope: Numbers = np.zeros(case.x.shape)

    @property
    def epsilon(self) -> float:
        return self.threat.epsilon or 0.0

    @property
    def is_over(self) -> bool:
        """Tell whether epsilon is reached, or no step leads nearer any more."""
        return self.shown <= self.epsilon or self.delta < LEAST_DELTA

    def begin(self) -> Step[bool]:
        """Stand on the line from a first start in sight to the sample, where it leaves it. False: there is none.

        Where the class is in sight at the sample, and what is kept in sight need be no success, it begins there.
        """
        if self.threat.epsilon is not None and is_in_sight(self.case, self.params):
            self._stand(self.case.x)
        else:
            for start in self._starts():
                if (yield from self._is_kept(start)):
                    yield from self._go_back(start, self._is_kept)
                    break
            else:
                return False
        spread = 1.0 if self.threat.norm is Norm.LINF else math.sqrt(self.case.x.size)
        first = self.params.sigma * self.threat.box.typical_side
        self.plateaus = Plateaus(np.array([first]), np.array([max(self.distance, self.epsilon) / spread]))
        return True

    def _starts(self) -> Iterator[Rows]:
        """Other samples of the upload, the nearest first; then noise."""
        pool = sorted(starts.pool(self.case, self.threat), key=lambda row: self.threat.distance(row, self.case.x))
        rng = self.case.stream.at(0)
        return chain(pool, starts.noise(self.case, self.threat, rng), starts.last(self.case, self.threat, rng))

    def advance(self) -> Step[None]:
        """Estimate the slope, and step along it into a smaller ball."""
        beta = self.params.momentum
        self.slope = beta * self.slope + (1 - beta) * (yield from self._estimate())
        direction = self.threat.ascent_direction(self.slope[None])[0]
        radius = max(self.epsilon, (1 - self.delta) * self.distance)
        for trial in range(TRIALS if direction.any() else 1):
            length = self.params.step_size * max(self.distance, self.epsilon) / 2**trial
            there = self._into(self.point + length * direction, radius)
            if (yield from self._is_kept(there)):
                self.delta = min(MOST_DELTA, self.delta * (2 if trial == 0 else 1))
                self._stand(there)
                break
        else:
            self.delta /= 2
        if self.shown <= self.epsilon:
            yield from self._go_back(self.point, self._wins)

    def _is_kept(self, row: Rows) -> Step[bool]:
        """Whether the class aimed at is in sight; where no radius is asked for, whether it is the answer."""
        seen = yield from self._look(row)
        return bool(seen.wins[0] if self.threat.epsilon is None else seen.in_sight[0])

    def _wins(self, row: Rows) -> Step[bool]:
        return bool((yield from self._look(row)).wins[0])

    def _look(self, row: Rows) -> Step[Glimpse]:
        seen = yield from self.see(row[None])
        if seen.wins[0]:
            self.shown = min(self.shown, self.threat.distance(row, self.case.x))
            yield UpperBound(row)
        return seen

    def _go_back(self, far: Rows, ask: Callable[[Rows], Step[bool]]) -> Step[None]:
        line = connect(self.case.x, far, self.threat)
        share = yield from halve(line, ask, halvings=HALVINGS, ends_at_rounding=True)
        self._stand(line.at(share))

    def _stand(self, point: Rows) -> None:
        self.point, self.distance = point, self.threat.distance(point, self.case.x)

    def _into(self, row: Numbers, radius: float) -> Rows:
        """The valid point within the radius that is nearest to the row, (*shape)."""
        x = self.case.x
        flat = self.threat.arranged(lambda side: np.broadcast_to(side, x.shape).reshape(1, -1))
        moved: Rows = flat.project(row.reshape(1, -1), x.reshape(1, -1), np.array([radius]))
        return moved.reshape(x.shape)

    def _estimate(self) -> Step[Numbers]:
        """The slope (*shape) of what is seen, from pairs of rows; of labels, of the share of successes about each."""
        sigma, shape = float(self.plateaus.step[0]), self.case.x.shape
        u = np.empty((self.params.pairs, *shape), np.float32)
        self.law.draw(self.rng, u)
        u *= np.float32(sigma * math.sqrt(self.case.x.size))
        sides = [self.threat.clip(self.point + sign * u, self.case.x) for sign in (1, -1)]
        ahead, behind = (yield from self._values(sides[0], sigma)), (yield from self._values(sides[1], sigma))
        is_new = len(self.plateaus.see(np.zeros(1, np.int64), *flat_shares((ahead - behind)[None]))) > 0
        if is_new and self.smoothing == 1:  # the share of successes is flat away from the boundary, and no score
            yield Note(self.plateaus.of(0))
        return antithetic(sides[0] - sides[1], ahead, behind, sigma) / (2 * sigma)

    def _values(self, rows: Rows, mu: float) -> Step[Numbers]:
        """What is climbed at rows (m, *shape), the mean over some about each: few enough at once (see TOGETHER)."""
        at_once = max(1, BATCH_BYTES // TOGETHER // (rows[0].nbytes * self.smoothing))
        found = []
        for part in (rows[start : start + at_once] for start in range(0, len(rows), at_once)):
            spread = np.repeat(part, self.smoothing, axis=0)
            if self.smoothing > 1:
                spread += self.rng.uniform(-mu, mu, spread.shape).astype(np.float32)
            seen = yield from self.see(self.threat.clip(spread, self.case.x))
            found.append(seen.values.reshape(len(part), -1).mean(axis=1))
        return np.concatenate(found)
