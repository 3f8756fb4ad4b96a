"""SurFree's turns: all samples turn on the arcs of a direction each, and never come farther from where they began."""

from collections.abc import Callable, Sequence

import numpy as np

from algorithms.attacks.surfree.past import Past
from algorithms.mathematics.arrays import Array, Mask, Numbers
from algorithms.seam.access import Rows
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import UpperBound
from algorithms.seam.labeling import is_fooled
from algorithms.seam.question import Owners
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.directions.draws import Draws
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.labels.arc import RIGHT, Arc, sideways
from algorithms.searches.labels.first_points import FirstPoints
from algorithms.searches.labels.line import Segment, halve
from algorithms.threats.threat import Threat

GAMMA = 0.01  # of the distance: how precisely an angle is found, and after how many halvings at the most
HALVINGS = 7
LARGEST = np.pi / 4  # turned twice as far, a sample has come to itself
# Where the way to the sample is a small angle t away from the normal of a flat boundary, a random direction of D
# dimensions turns it by about t / sqrt(D), and the distance is 1 + t^2 / 2 times the least.
REST = 0.02  # t: a search that turns by so little has come to rest
NARROW = 0.25  # t, from which on another space of directions has more to give; a search begins there at four times that


class PolarTurns:
    """Polar turns know the point, its distance, and the angle that each sample tries; rows are flat, (d,)."""

    def __init__(
        self,
        cohort: Cohort,
        threat: Threat,
        first: FirstPoints,
        laws: Sequence[DirectionLaw],
        degrees: float,
        rho: float,
        orthogonal_to: int,
    ) -> None:
        n = len(cohort.cases)
        self.cohort, self.rho = cohort, rho
        self.threat = threat.arranged(lambda side: side.reshape(1, -1) if side.ndim else side)
        self.x: Rows = cohort.x.reshape(n, -1)
        d = self.x.shape[1]
        self.points: Rows = first.points.reshape(n, -1)  # adversarial, the nearest so far
        self.distance: Numbers = first.distance.copy()
        self.angle: Numbers = np.full(n, np.radians(degrees))  # of the next turn, at most
        self.draws = [Draws(cohort, law, draw=1 + i) for i, law in enumerate(laws)]
        self.law = np.zeros(n, np.int64)  # whose draws each sample is given
        self.spread: Numbers = np.sqrt([float(law.dimensions(d)) for law in laws])  # of each law: sqrt(D)
        self.past = Past(n, d, dimensions=min(law.dimensions(d) for law in laws), most=orthogonal_to)

    def going(self) -> Owners:
        """Tell who has not come to rest, nor within epsilon."""
        is_outside = np.isfinite(self.distance) & (self.distance > (self.threat.epsilon or 0.0))
        return np.flatnonzero(self.cohort.live & is_outside & (self.angle * self.spread[self.law] > REST))

    def settle(self) -> Conversation:
        """Stand on the boundary, on the way to the sample."""
        if len(who := self.going()):
            ways = Segment(self.x[who], self.points[who], self.threat)
            yield from halve(ways, lambda rows: self._ask(rows, who), halvings=HALVINGS, lines=len(who))

    def turn(self, who: Owners, tries: int) -> Conversation:
        """Try one direction of each of these samples (m,), as far as it leads (Maho et al. 2021, algorithm 1)."""
        arcs = self._arcs(who)
        largest, before = self.angle[who], self.distance[who]
        found, beyond = np.zeros(len(who)), np.zeros(len(who))  # angles: adversarial, 0 for none; and clean
        for k in range(tries):  # algorithm 2, the search for a sign
            for side in (1, -1):
                angle = side * largest * (1 - k / tries)
                wins = yield from self._ask_some(arcs, angle, who, found == 0)
                found[wins], beyond[wins] = angle[wins], (angle + side * largest / tries)[wins]
        has_turned = found != 0
        yield from self._go_on(arcs, found, beyond, who, has_turned & (np.abs(found) == largest))
        yield from self._halve(arcs, found, beyond, who, has_turned)
        has_gained = self.distance[who] < before
        self.angle[who] = np.minimum(LARGEST, largest * np.where(has_gained, 1 / self.rho, self.rho))
        self._widen(who)

    def _widen(self, who: Owners) -> None:
        """Go on in the next space of directions where one has hardly more to give."""
        is_narrow = self.angle[who] * self.spread[self.law[who]] < NARROW
        narrow = who[is_narrow & (self.law[who] < len(self.draws) - 1)]
        self.law[narrow] += 1
        self.angle[narrow] = np.minimum(LARGEST, 4 * NARROW / self.spread[self.law[narrow]])

    def _go_on(self, arcs: Arc, found: Numbers, beyond: Numbers, who: Owners, is_open: Mask) -> Conversation:
        """Turn twice as far, and again, until a turn is too far: at a right angle lies the sample itself."""
        while is_open.any():
            beyond[is_open] = np.sign(found[is_open]) * np.minimum(RIGHT, 2 * np.abs(found[is_open]))
            is_open &= np.abs(beyond) < RIGHT
            is_open &= yield from self._ask_some(arcs, beyond, who, is_open)
            found[is_open] = beyond[is_open]

    def _halve(self, arcs: Arc, found: Numbers, beyond: Numbers, who: Owners, is_open: Mask) -> Conversation:
        """Halve the rest of the arcs, each until it is found to gamma. What is not asked stays where it is."""
        some = np.flatnonzero(is_open)
        rest = np.abs(np.cos(beyond[some]) - np.cos(found[some]))
        times = np.minimum(HALVINGS, np.ceil(np.log2(np.maximum(rest / GAMMA, 1))))
        some, times = some[times > 0], times[times > 0]
        if not len(some):
            return
        line = Arc(arcs.x[some], arcs.point[some], arcs.sideways[some], self.threat, found[some], beyond[some])
        ask = self._counted(who[some], times)
        yield from halve(line, ask, halvings=int(times.max()), lines=len(some))

    def _counted(self, owners: Owners, times: Numbers) -> Callable[[Array], Step[Mask]]:
        done = 0

        def ask(rows: Array) -> Step[Mask]:
            nonlocal done
            is_asked = times > done
            done += 1
            wins = np.zeros(len(owners), np.bool_)
            wins[is_asked] = yield from self._ask(rows[is_asked], owners[is_asked])
            return wins

        return ask

    def _arcs(self, who: Owners) -> Arc:
        """Draw directions at right angles to the ways to the points, and to the last directions."""
        x, points = self.x[who], self.points[who]
        way = points - x
        drawn = np.empty_like(x)
        for i, draws in enumerate(self.draws):
            if (of_law := self.law[who] == i).any():
                drawn[of_law] = draws.next(who[of_law])
        across = sideways(way, self.past.without(who, drawn), self.threat)
        self.past.add(who, across)
        return Arc(x, points, across, self.threat)

    def _ask_some(self, arcs: Arc, angle: Numbers, who: Owners, which: Mask) -> Step[Mask]:
        """Ask about the points at these angles of some arcs. False for the others."""
        wins = np.zeros(len(who), np.bool_)
        if which.any():
            rows = Arc(arcs.x[which], arcs.point[which], arcs.sideways[which], self.threat, angle[which]).far
            wins[which] = yield from self._ask(rows, who[which])
        return wins

    def _ask(self, rows: Rows, owners: Owners) -> Step[Mask]:
        """Ask about rows (m, d); keep and claim those that are adversarial and nearer than all before."""
        shape, targets = self.cohort.x.shape[1:], self.cohort.targets
        labels = yield from AskLabels(rows.reshape(-1, *shape), owners)
        wins = is_fooled(labels, self.cohort.labels[owners], None if targets is None else targets[owners])
        if wins.any():
            won = owners[wins]
            away = self.threat.lengths(rows[wins].astype(np.float64) - self.x[won])
            for owner, row, distance in zip(won.tolist(), rows[wins], away, strict=True):
                if distance < self.distance[owner]:
                    self.points[owner], self.distance[owner] = row, distance
                    yield UpperBound(row.reshape(shape), owner=owner)
        return wins
