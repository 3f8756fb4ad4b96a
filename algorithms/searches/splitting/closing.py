"""Both ends of a radius, closed in on: proofs from below, points from above, until they meet or domains run out.

points alone are looked for within twice the largest radius that CROWN proves, and on, until one is found
-> a little farther than what is proven, or halfway to the smallest radius that is open or refuted
-> where these have met, the open radius goes on, with as many domains again as it has had
"""

from dataclasses import dataclass, field

import numpy as np

from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import LowerBound
from algorithms.searches.proofs import useful_radius
from algorithms.searches.splitting.questions import Questions, TriedRadius

FIRST_LOOKS = 6  # of CROWN, to begin with
FIRST = 64  # domains that a radius gets at first
NEAR = 1.02  # ends that are nearer than this share have met, as far as trying another radius goes
CLOSED = 1.001  # ends that are nearer are one: a point must lie a little behind its boundary
GROWTH, GROWTHS = 2.0, 12  # of the radius, where no point is known yet
STRIDE = 1.25  # beyond what is proven: fewer neurons are on either side there, and a proof is likelier and cheaper


@dataclass
class Closing:
    """Closing in is a sample's. All radii between `proven` and the nearest point are open, or were never tried."""

    questions: Questions
    proven: float = 0.0
    open: list[TriedRadius] = field(default_factory=list)
    ceiling: float = np.inf  # the smallest radius that a search could not decide, to its end

    def run(self) -> Conversation:
        """End in LowerBounds and UpperBounds, the best last."""
        yield from self.begin()
        yield from self._climb()
        while self.questions.left > 0 and min(self.upper, self.ceiling) > CLOSED * self.proven:
            spent = self.questions.spent
            at, domains = self.next_radius()
            if at is None:
                return
            yield from self.attempt(at, domains)
            if self.questions.spent == spent and domains >= self.questions.left:
                return

    @property
    def upper(self) -> float:
        """Give the distance of the nearest point, or of the farthest input there is."""
        return min(self.questions.distance, self._farthest)

    @property
    def _farthest(self) -> float:
        case = self.questions.case
        return float(self.questions.threat.farthest(case.x[None])[0])

    def begin(self) -> Conversation:
        """Begin with what CROWN proves, and with what a hint says where it holds."""
        cohort = Cohort((self.questions.case,), np.ones(1, np.bool_))
        self.proven = yield from _largest(useful_radius.run(cohort, self.questions.threat, FIRST_LOOKS))
        self.questions.curve.add(1, self.proven)

    def _climb(self) -> Conversation:
        reached = self.questions.case.hint.reached
        radius = self.proven or min(reached, self._farthest, 1.0) / GROWTH
        for _ in range(GROWTHS):
            radius = min(GROWTH * radius, self._farthest)
            yield from self.attempt(TriedRadius(radius), 0)
            if self.upper <= radius:
                return

    def next_radius(self) -> tuple[TriedRadius | None, int]:
        """Choose a radius, and how many domains it gets."""
        self.open = [at for at in self.open if self.proven < at.radius < min(self.questions.distance, self.ceiling)]
        lowest = min(self.open, key=lambda at: at.radius, default=None)
        top = min(self.upper, self.ceiling) if lowest is None else lowest.radius
        if not np.isfinite(top):
            return None, 0
        if lowest is not None and not lowest.domains and np.isinf(self.questions.distance):
            return lowest, 1  # nothing may be there to be found
        if top > NEAR * self.proven or lowest is None:
            middle = min(np.sqrt(top * self.proven), STRIDE * self.proven) if self.proven > 0 else top / GROWTH
            tried = max((at.domains for at in self.open), default=0)
            return TriedRadius(float(middle)), max(FIRST, tried)
        return lowest, max(FIRST, lowest.domains, 2 * lowest.too_few)

    def attempt(self, at: TriedRadius, domains: int) -> Conversation:
        """Let the search of a radius go on for so many domains; claim the radius where that proves it."""
        questions = self.questions
        yield from questions.go_on(at, domains)
        if at.is_proven and at.radius > self.proven:
            self.proven = at.radius
            questions.curve.add(questions.spent, self.proven)
            yield LowerBound(at.radius)
        elif not at.is_proven and not at.can_go_on:
            self.ceiling = min(self.ceiling, at.radius)
        elif not at.is_proven and at not in self.open:
            self.open.append(at)
        yield questions.note({})


def _largest(conversation: Conversation) -> Step[float]:
    """Hold another conversation, and return the largest radius that it claims to be proven."""
    largest, answer = 0.0, None
    while True:
        try:
            said = conversation.send(answer)
        except StopIteration:
            return largest
        if isinstance(said, LowerBound):
            largest = max(largest, said.radius)
        answer = yield said
