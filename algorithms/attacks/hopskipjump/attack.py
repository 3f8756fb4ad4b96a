"""HopSkipJump: walk along the decision boundary towards the sample, seeing nothing but labels.

Chen, Jordan, Wainwright, IEEE S&P 2020, arXiv:1904.02144. Each iteration stands on the boundary, estimates its normal
from the labels of a cloud of points, jumps along it to the adversarial side, and comes back to the boundary on the way
to the sample. Directions from a subspace make it QEBA (low frequencies) or the spanning attack.

Symbols as in the paper: theta is the precision of the way back, delta the radius of the cloud, B the number of its
points, xi the length of the jump. Nothing depends on the budget: a longer one replays the shorter.

Three things are not in the paper. It starts as near as a few queries can tell (a point that others found is tried
first), a walk that has come to rest begins again elsewhere, and what it shows lies a little behind the boundary.
"""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from algorithms.mathematics.norms import Norm
from algorithms.method import Method
from algorithms.seam.access import Access, Labels, Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Kind, UpperBound
from algorithms.seam.cost import Cost
from algorithms.seam.labeling import is_fooled
from algorithms.seam.questions.cloud import AskCloud, Cloud
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.directions.choice import directions
from algorithms.searches.directions.params import DirectionParams, wants
from algorithms.searches.labels import starts
from algorithms.searches.labels.line import GrowingCube, Segment, connect, halve, within
from algorithms.searches.labels.normal import NormalEstimate
from algorithms.threats.threat import Threat

MOST_DIRECTIONS = 10_000  # B at most (Chen et al. 2020, section V-A)
FIRST_DELTA = 0.1  # of the box's side: delta of the first cloud, in the code of the authors
BISECTIONS = 30  # beyond them float32 cannot tell two points of a line apart; theta alone would ask for more
HALVINGS = 24  # of a jump: a shorter one is no move in float32. Neither paper nor code has an end here
RESOLUTION = 16 * float(np.finfo(np.float32).eps)  # an offset below this share of a feature is mostly rounding

# The median distance on a plainly trained MNIST network fell by a quarter at 1 000 queries and by a tenth at 5 000.
SCOUTS = 60  # starts tried after the first success, one query each where they bring nothing
ROUGHLY = 0.1  # precision of a start's distance, and by how much another must be nearer to be worth more queries

REST, GAIN = 4, 0.01  # so many estimates that gained less than this share: a convex boundary has no more to give
BEHIND = 1e-3  # of the distance: how far behind the boundary a point is shown


class HopSkipJumpParams(DirectionParams):
    name: Literal["hopskipjump"] = "hopskipjump"
    initial_directions: int = Field(
        100,
        ge=1,
        le=MOST_DIRECTIONS,
        description="points of the first cloud; their number grows as √k, k iterations on",
    )
    iterations: int = Field(64, ge=1, le=10_000, description="estimates at most; mostly the budget ends the walk")
    gamma: float = Field(
        1.0, gt=0, le=1e5, description="radius of a cloud: gamma/d of the distance; larger for noisy or large inputs"
    )


def minimum(params: HopSkipJumpParams, threat: Threat) -> Cost:
    """Count the clean row, a start and a step back, one estimate, a jump and a step back, the final re-query."""
    del threat
    return Cost(queries=params.initial_directions + 6)


def run(case: Case, threat: Threat, params: HopSkipJumpParams) -> Conversation:
    """Walk until the iterations are spent, epsilon is reached, or no start is adversarial; claim ever nearer points."""
    walk = Walk(case, threat, params)
    k = 0  # the iteration, in this walk
    for _ in range(params.iterations):
        if k == 0 and not (yield from walk.begin()):
            return
        if walk.has_arrived:
            return
        k += 1
        yield from walk.advance(k)
        if walk.is_at_rest:
            k = 0


class Walk:
    """A walk is one sample's, and knows where it stands: always at an adversarial point."""

    def __init__(self, case: Case, threat: Threat, params: HopSkipJumpParams) -> None:
        self.case, self.threat, self.params = case, threat, params
        self.d = math.prod(case.x.shape)
        self.directions = directions(case, params, threat.norm)
        self.noise = case.stream.at(0)
        self.hinted = starts.hinted(case)
        self.pool = starts.pool(case, threat)  # used up, as the hint is, not begun anew, by later walks
        self.counter = 1  # of the stream: 0 is the noise of the starts
        self.point = case.x
        self.distance = np.inf  # of the point
        self.reach = np.inf  # of where the last line back began
        self.shown = np.inf  # distance of the nearest point claimed from the boundary
        self.passed: list[float] = []  # distances of this walk, one an iteration

    @property
    def has_arrived(self) -> bool:
        """Tell whether a point within epsilon was asked for, and is found."""
        return self.shown <= (self.threat.epsilon or 0.0)

    @property
    def is_at_rest(self) -> bool:
        """Tell whether the last iterations have brought next to nothing."""
        before, lately = self.passed[:-REST], self.passed[-REST:]
        return bool(before) and min(lately) > (1 - GAIN) * min(before)

    def begin(self) -> Step[bool]:
        """Stand on the boundary, as near as a few starts show it. False: no start is adversarial.

        After the first success a start is a mere direction: one query tells whether the boundary is nearer there.
        """
        self.distance, self.passed, scouts = np.inf, [], SCOUTS
        noise = starts.noise(self.case, self.threat, self.noise)
        for start in chain(self.hinted, noise, self.pool, self._last_starts()):
            near = within(connect(self.case.x, start, self.threat), (1 - ROUGHLY) * self.distance)
            if (yield from self._is_adversarial(near)):
                yield UpperBound(near)
                self._stand(*(yield from self._go_back(near, ROUGHLY)))
            scouts -= bool(np.isfinite(self.distance))
            if scouts < 0:
                break
        if not np.isfinite(self.distance):
            return False
        yield from self._settle(self.point)
        return True

    def _last_starts(self) -> Iterator[Rows]:
        """Only until the sample is fooled for the first time."""
        for start in starts.last(self.case, self.threat, self.noise):
            if np.isfinite(min(self.distance, self.shown)):
                return
            yield start

    def advance(self, k: int) -> Step[None]:
        """Estimate, jump, and come back: one iteration."""
        normal = yield from self._estimate(k)
        landed = None if normal is None else (yield from self._jump(normal, k))
        if landed is not None:
            yield from self._settle(landed)
        self.passed.append(self.distance)

    def _settle(self, far: Rows) -> Step[None]:
        """Go back as far as theta can tell, and claim what is nearer than all before."""
        line, share = yield from self._go_back(far, self._theta)
        self._stand(line, share)
        if self.distance < self.shown:
            yield from self._show(line, share)

    def _stand(self, line: Segment | GrowingCube, share: float) -> None:
        self.point, self.reach = line.at(share), line.length
        self.distance = self.threat.distance(self.point, self.case.x)

    def _go_back(self, far: Rows, precision: float) -> Step[tuple[Segment | GrowingCube, float]]:
        """Bisect the line from the sample to an adversarial point: the line, and the share of its adversarial end."""
        line = connect(self.case.x, far, self.threat)
        share = yield from halve(
            line, self._is_adversarial, halvings=BISECTIONS, precision=precision, ends_at_rounding=True
        )
        return line, share

    def _show(self, line: Segment | GrowingCube, share: float) -> Step[None]:
        """Claim a point a little behind the boundary: one that hugs it may flip on other hardware, or be a tie."""
        behind = BEHIND
        while (farther := share * (1 + behind)) < 1 and not (yield from self._is_adversarial(line.at(farther))):
            behind *= 2
        point = line.at(min(1.0, farther))
        self.shown = min(self.shown, self.threat.distance(point, self.case.x))
        yield UpperBound(point)

    def _estimate(self, k: int) -> Step[NDArray[np.float64] | None]:
        """The direction (*shape) to jump in, of length 1 in the norm: the normal of the boundary, or in linf its signs.

        None where the labels tell of none.
        """
        n = min(int(self.params.initial_directions * math.sqrt(k)), MOST_DIRECTIONS)
        stream = self.case.stream
        cloud = Cloud(self.point, self._delta(k), self.directions, n, self.threat, stream, self.counter)
        self.counter += cloud.counters
        seen = yield from AskCloud(cloud, lambda: NormalEstimate(cloud, self._wins))
        direction: NDArray[np.float64] = self.threat.ascent_direction(seen.normal[None])[0]
        return direction if direction.any() else None

    def _jump(self, normal: NDArray[np.float64], k: int) -> Step[Rows | None]:
        """Along the normal by xi, halved until it lands on the adversarial side; None where it never does."""
        xi = self.distance / math.sqrt(k)
        for _ in range(HALVINGS):
            there: Rows = self.threat.clip(self.point + xi * normal, self.case.x)
            if np.array_equal(there, self.point):
                return None
            if (yield from self._is_adversarial(there)):
                return there
            xi /= 2
        return None

    @property
    def _theta(self) -> float:
        """As a share of the line: gamma / d^(3/2) in l2, gamma / d^2 in linf."""
        return float(self.params.gamma / self.d ** (2.0 if self.threat.norm is Norm.LINF else 1.5))

    def _delta(self, k: int) -> float:
        """sqrt(d) theta in l2, d theta in linf, of where the line back began: gamma / d of it in both.

        Not below what float32 can tell apart: for images of 224 x 224 x 3 the paper's delta moves a feature by less
        than one unit of its last place.
        """
        box = self.threat.box
        if k == 1 and box.is_bounded:
            return FIRST_DELTA * float(np.median(box.sides))
        rounding = RESOLUTION * float(np.median(np.abs(self.point)))
        return max(self.params.gamma / self.d * self.reach, math.sqrt(self.d) * rounding)

    def _is_adversarial(self, row: Rows) -> Step[bool]:
        labels = yield from AskLabels(row[None])
        return bool(self._wins(labels)[0])

    def _wins(self, labels: Labels) -> NDArray[np.bool_]:
        return is_fooled(labels, self.case.label, self.case.target)


METHOD = Method(
    name="hopskipjump",
    version="1",
    family="attack",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2, Norm.LINF),
    goals=("untargeted", "targeted"),
    epsilon="optional",
    proves=Kind.UPPER_BOUND,
    reference="Chen, Jordan, Wainwright, HopSkipJumpAttack, IEEE S&P 2020, arXiv:1904.02144",
    params=HopSkipJumpParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=HopSkipJumpParams(initial_directions=20),
    chunk=25,
    chunks_at_once=4,
    wants_pool=True,
    takes_hints=True,
    wants=wants,
)
