"""The walk along a decision boundary towards the sample, by labels alone: all of it but the way that a method advances.

HopSkipJump's (Chen, Jordan, Wainwright, IEEE S&P 2020, arXiv:1904.02144), without its jump. A method says how it
advances from a point on the boundary, and comes back by `settle` or `follow`; whatever else a walk does stands here:

    walk = BoundaryWalk(case, threat, laws, theta)

    def advance(k: int) -> Step[None]:                     # iteration k of this walk, from 1
        normal = yield from walk.estimate(n, delta)        # None where the labels tell of none
        ...                                                # to `there`, an adversarial point
        yield from walk.settle(there)                      # or not at all: then the walk stays where it stands

    yield from walk.along(advance, iterations=...)

Three things are not in the paper. It starts as near as a few queries can tell (a point that others found is tried
first), a walk that has come to rest begins again elsewhere, and what it shows lies a little behind the boundary.
Nothing depends on the budget: a longer one replays the shorter.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.access import Labels, Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import UpperBound
from algorithms.seam.labeling import is_fooled
from algorithms.seam.questions.cloud import AskCloud, Cloud
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.directions.law import DirectionLaw
from algorithms.searches.labels import starts
from algorithms.searches.labels.line import GrowingCube, Line, Segment, connect, halve, within
from algorithms.searches.labels.normal import NormalEstimate
from algorithms.searches.labels.ray import Ray
from algorithms.threats.threat import Threat

BISECTIONS = 30  # beyond them float32 cannot tell two points of a line apart; theta alone would ask for more

# The median distance on a plainly trained MNIST network fell by a quarter at 1 000 queries and by a tenth at 5 000.
SCOUTS = 60  # starts tried after the first success, one query each where they bring nothing
ROUGHLY = 0.1  # precision of a start's distance, and by how much another must be nearer to be worth more queries

REST, GAIN = 4, 0.01  # so many estimates that gained less than this share: a convex boundary has no more to give
BEHIND = 1e-3  # of the distance: how far behind the boundary a point is shown
FARTHER = 5  # doublings of it on a ray, of which nobody knows that it stays on the adversarial side

Advance = Callable[[int], Step[None]]


class BoundaryWalk:
    """A walk is one sample's, and knows where it stands: always at an adversarial point."""

    def __init__(
        self,
        case: Case,
        threat: Threat,
        laws: Sequence[DirectionLaw],
        theta: float,
        *,
        known: Iterable[Rows] = (),
        patience: int = REST,
    ) -> None:
        self.case, self.threat, self.patience = case, threat, patience
        self.laws, self.law = laws, laws[0]  # where one has no more to give, the walk goes on by the next
        self.theta = theta  # the precision of a way back, as a share of it
        self.noise = case.stream.at(0)
        self.known = chain(starts.hinted(case), known)  # starts that are better than any draw
        self.pool = starts.pool(case, threat)  # used up, as the hint is, not begun anew, by later walks
        self.counter = 1  # of the stream: 0 is the noise of the starts
        self.point = case.x
        self.distance = np.inf  # of the point
        self.reach = np.inf  # of where the last line back began
        self.shown = np.inf  # distance of the nearest point claimed from the boundary
        self.passed: list[float] = []  # distances of this walk, one an iteration
        self.asked = 0  # rows so far, of clouds and others

    def along(self, advance: Advance, *, iterations: int, ends_at_rest: bool = False) -> Conversation:
        """Walk until the iterations are spent, epsilon is reached, or no start is adversarial.

        Where there is none to begin again from, the walk goes on from where it stands, unless it ends at rest.
        """
        k = 0  # the iteration, in this walk
        for done in range(iterations):
            if k == 0 or (self.is_at_rest and not self._goes_on()):
                if (yield from self.begin()):
                    k = 0
                elif done == 0 or ends_at_rest:
                    return
                else:
                    self.stand(self.point, self.reach)
                    self.law = self.laws[-1]
            if self.has_arrived:
                return
            k += 1
            yield from advance(k)
            self.passed.append(self.distance)

    @property
    def has_arrived(self) -> bool:
        """Tell whether a point within epsilon was asked for, and is found."""
        return self.shown <= (self.threat.epsilon or 0.0)

    @property
    def is_at_rest(self) -> bool:
        """Tell whether the last iterations have brought next to nothing."""
        before, lately = self.passed[: -self.patience], self.passed[-self.patience :]
        return bool(before) and min(lately) > (1 - GAIN) * min(before)

    def _goes_on(self) -> bool:
        """Go on from here by the next law of directions. False: there is none."""
        later = next((later for law, later in pairwise(self.laws) if law is self.law), None)
        self.law, self.passed = later or self.law, []
        return later is not None

    def begin(self) -> Step[bool]:
        """Stand on the boundary, as near as a few starts show it. False: no start is adversarial.

        After the first success a start is a mere direction: one query tells whether the boundary is nearer there.
        """
        self.law, self.distance, self.passed, scouts = self.laws[0], np.inf, [], SCOUTS
        noise = starts.noise(self.case, self.threat, self.noise)
        for start in chain(self.known, noise, self.pool, self._last_starts()):
            near = within(connect(self.case.x, start, self.threat), (1 - ROUGHLY) * self.distance)
            if (yield from self.is_adversarial(near)):
                yield UpperBound(near)
                line, share = yield from self._go_back(near, ROUGHLY)
                self.stand(line.at(share), line.length)
            scouts -= bool(np.isfinite(self.distance))
            if scouts < 0:
                break
        if not np.isfinite(self.distance):
            return False
        yield from self.settle(self.point)
        return True

    def _last_starts(self) -> Iterator[Rows]:
        """Only until the sample is fooled for the first time."""
        for start in starts.last(self.case, self.threat, self.noise):
            if np.isfinite(min(self.distance, self.shown)):
                return
            yield start

    def estimate(self, n: int, delta: float) -> Step[Numbers | None]:
        """Find the direction (*shape) to leave the point in, of length 1 in the norm: the boundary's normal, or in linf
        its signs. None where the labels of n points, delta away, tell of none.
        """
        seen = yield from self.look_around(n, delta)
        direction: Numbers = self.threat.ascent_direction(seen.normal[None])[0]
        return direction if direction.any() else None

    def look_around(self, n: int, delta: float) -> Step[NormalEstimate]:
        """Ask for the labels of n points around the point, delta away."""
        cloud = Cloud(self.point, delta, self.law, n, self.threat, self.case.stream, self.counter)
        self.counter += cloud.counters
        self.asked += n
        return (yield from AskCloud(cloud, lambda: NormalEstimate(cloud, self.wins)))

    def settle(self, far: Rows) -> Step[None]:
        """Come straight back from an adversarial point, as far as theta can tell, and claim what is nearer than all."""
        line, share = yield from self._go_back(far, self.theta)
        self.stand(line.at(share), line.length)
        if self.distance < self.shown:
            yield from self._show(_farther_on(line, share), line.far)

    def follow(self, line: Line) -> Step[None]:
        """Come back along any line from its far end, an adversarial point, and claim what is nearer than all before."""
        share = yield from halve(
            line, self.is_adversarial, halvings=BISECTIONS, precision=self.theta, ends_at_rounding=True
        )
        yield from self.arrive(line.at(share), self.threat.distance(line.far, self.case.x))

    def arrive(self, point: Rows, reach: float) -> Step[None]:
        """Stand at an adversarial point that is close to the boundary, and claim what is nearer than all before.

        What is shown lies behind the boundary on the ray from the sample: an arc would hardly come away from it, and a
        far end may be as near to it as what was found. `reach`: of where the way back to the point began.
        """
        self.stand(point, reach)
        if self.distance < self.shown:
            outwards = Ray(self.case.x, self.point - self.case.x, 1.0, self.threat)
            yield from self._show((outwards.at(1 + BEHIND * 2**doubled) for doubled in range(FARTHER)), self.point)

    def stand(self, point: Rows, reach: float) -> None:
        """Stand at an adversarial point, to which a line led that began `reach` away from the sample."""
        self.point, self.reach = point, reach
        self.distance = self.threat.distance(point, self.case.x)

    def _go_back(self, far: Rows, precision: float) -> Step[tuple[Segment | GrowingCube, float]]:
        """Bisect the line from the sample to an adversarial point: the line, and the share of its adversarial end."""
        line = connect(self.case.x, far, self.threat)
        share = yield from halve(
            line, self.is_adversarial, halvings=BISECTIONS, precision=precision, ends_at_rounding=True
        )
        return line, share

    def _show(self, farther: Iterable[Rows], known: Rows) -> Step[None]:
        """Claim the first of these that is adversarial, else what is known to be.

        They lie a little behind the boundary: a point that hugs it may flip on other hardware, or be a tie.
        """
        for point in farther:
            if (yield from self.is_adversarial(point)):
                break
        else:
            point = known
        self.shown = min(self.shown, self.threat.distance(point, self.case.x))
        yield UpperBound(point)

    def is_adversarial(self, row: Rows) -> Step[bool]:
        """Ask whether one row is."""
        self.asked += 1
        labels = yield from AskLabels(row[None])
        return bool(self.wins(labels)[0])

    def wins(self, labels: Labels) -> NDArray[np.bool_]:
        """Tell which labels are what the adversary is after."""
        return is_fooled(labels, self.case.label, self.case.target)


def _farther_on(line: Segment | GrowingCube, share: float) -> Iterator[Rows]:
    behind = BEHIND
    while (farther := share * (1 + behind)) < 1:
        yield line.at(farther)
        behind *= 2
