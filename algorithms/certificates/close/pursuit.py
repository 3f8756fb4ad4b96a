"""One sample's pursuit: what would be done next to close its bracket, what that costs, and what it is expected to take.

All of it follows from the sample alone. Whom it shares a budget with decides how far a pursuit comes, and nothing else.

    a point, by the first attack -> what CROWN proves -> the radii that would close the bracket, or decide what is asked
    -> the next attack, once as much was spent on proofs in vain; smaller radii, at a share of what went before
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from algorithms.certificates.close.forecast import Forecast
from algorithms.seam.access import Rows
from algorithms.seam.case import Conversation
from algorithms.seam.claims import Abstained, LowerBound
from algorithms.searches.splitting.closing import Closing
from algorithms.searches.splitting.questions import Questions, TriedRadius
from algorithms.threats.threat import Threat

OPENING = 48  # domains that beginning to search a region takes the time of: bounds of all neurons, optimized
STEPS_A_DOMAIN = 8  # gradient steps that take the time of one domain
FIRST, MOST = 64, 256  # domains at once: as many again as the radius has had, between these
INSIDE = 1 - 1e-6  # of the radius that closes a bracket: a little more than that is tried
MOVED = 1.01  # a point that is nearer by less leaves the search for the radius that closes as it is
SHARE = 0.25  # of what proofs of the wanted radii took: as much may go to smaller ones


@dataclass(frozen=True)
class Attack:
    """An attack is another method, of which a pursuit takes so many steps."""

    method: str  # with its version
    params: dict[str, Any]
    steps: int

    @property
    def cost(self) -> int:
        return -(-self.steps // STEPS_A_DOMAIN)


@dataclass(frozen=True)
class Deepening:
    """A deepening lets the search of a radius go on for so many domains."""

    at: TriedRadius
    domains: int
    is_wanted: bool  # it would close the bracket or decide what is asked; else it only raises what is proven

    @property
    def cost(self) -> int:
        return self.domains + (OPENING if self.at.state is None else 0)


@dataclass
class Pursuit:
    """A pursuit is of one sample. `ratio` of its ends closes its bracket; `radii`: that something hangs on."""

    questions: Questions
    ratio: float
    radii: tuple[float, ...]
    attacks: tuple[Attack, ...]  # left to try
    closing: Closing = field(init=False)
    hinted: float = 0.0  # the radius that others have proven, where it is taken for where to go on
    point: Rows | None = None
    goal: TriedRadius | None = None  # the radius that would close the bracket
    gates: dict[float, TriedRadius] = field(default_factory=dict)
    forecasts: dict[float, Forecast] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=lambda: {"attacks": 0, "wanted": 0, "smaller": 0})
    in_vain: int = 0  # spent on proofs since the last attack
    is_stuck: bool = False

    def __post_init__(self) -> None:
        self.closing = Closing(self.questions)

    @property
    def threat(self) -> Threat[Any]:
        return self.questions.threat

    @property
    def reached(self) -> float:
        """Give the distance of a point of its own, or of one that a hint tells of."""
        return min(self.questions.distance, self.questions.case.hint.reached)

    @property
    def is_over(self) -> bool:
        """Tell whether nothing is left to do: the bracket is closed, the question decided, or no search can go on."""
        lower, upper = self.closing.proven, self.questions.distance
        if (epsilon := self.threat.epsilon) is not None:
            return self.is_stuck or lower >= epsilon or upper <= epsilon
        return self.is_stuck or upper <= self.ratio * lower

    @property
    def has_nothing(self) -> bool:
        """Tell whether neither end was found: what a hint tells is no proof of ours."""
        return self.closing.proven <= self.hinted and not np.isfinite(self.questions.distance)

    @property
    def cost(self) -> int:
        """Count what it has spent, in domains."""
        return sum(self.spent.values())

    @property
    def expected(self) -> tuple[int, float]:
        """Rank it, the least first: what something hangs on, then what is expected to be closed by the fewest domains.

        Where radii are named, brackets count as so much dearer as they lie away from them, squared.
        """
        lower, upper = self.closing.proven, self.questions.distance
        away = [max(lower / at, at / upper, 1.0) for at in self.radii]
        hangs = any(lower < at < upper for at in self.radii)
        wanted = [self.forecast(at).cost for at in self._wanted()]
        return 0 if hangs else 1, min(wanted, default=0.0) * min(away, default=1.0) ** 2

    def begin(self) -> Conversation:
        """Ask about the point of a hint, and take its radius for where to go on."""
        hint = self.questions.case.hint
        if hint.point is not None and (yield from self.questions.try_point(hint.point)):
            self.point = hint.point
        if 0 < hint.proven < min(self.questions.distance, hint.reached):
            self.hinted = self.closing.proven = hint.proven

    def proved(self, radius: float) -> None:
        """Take in a radius that was proven elsewhere, and is claimed."""
        self.closing.proven = max(self.closing.proven, radius)
        self.questions.curve.add(1, self.closing.proven)

    def next_move(self) -> Attack | Deepening | None:
        """Choose what to do next. None: nothing is left, and the pursuit is over."""
        if self.attacks and (self.in_vain >= self.attacks[0].cost or self._lacks_a_point()):
            return self.attacks[0]
        smaller = self.spent["smaller"] < SHARE * self.spent["wanted"] and self.threat.epsilon is None
        move = (self._smaller() if smaller else None) or self._next_wanted() or self._smaller()
        if move is None and self.attacks:
            return self.attacks[0]
        self.is_stuck = move is None
        return move

    def _lacks_a_point(self) -> bool:
        """Nothing was attacked yet; or there is no upper end to aim at, whatever was."""
        return self.point is None and (not self.spent["attacks"] or not np.isfinite(self.closing.upper))

    def attacked(self, attack: Attack, point: Rows | None) -> None:
        """Take in that an attack has ended, and the nearest point (*shape) that it claimed."""
        away = np.inf if point is None else self.threat.distance(point, self.questions.case.x)
        if away < self.questions.distance:
            self.questions.distance, self.point = away, point
        self.attacks = self.attacks[1:]
        self.spent["attacks"] += attack.cost
        self.in_vain = 0

    def split(self, move: Deepening) -> Conversation:
        """Go on with the search of a radius; claim what it proves and what it finds."""
        before, cost = self.questions.spent, move.cost - move.domains
        if self.threat.epsilon is None:
            yield from self.closing.attempt(move.at, move.domains)
        else:
            yield from self._decide(move)
        made = self.questions.spent - before
        self.spent["wanted" if move.is_wanted else "smaller"] += cost + made
        self.in_vain += cost + made
        self.forecast(move.at).see(move.at.domains, move.at.bound)
        if made == 0:
            move.at.can_go_on &= move.domains < MOST

    def _decide(self, move: Deepening) -> Conversation:
        epsilon, at = self.threat.epsilon, move.at
        yield from self.questions.go_on(at, move.domains)
        self.questions.curve.add(self.questions.spent, at.bound)
        yield self.questions.note({"bound": at.bound if np.isfinite(at.bound) else None})
        if at.is_proven and epsilon is not None:
            self.closing.proven = epsilon
            yield LowerBound(epsilon)
        else:
            yield Abstained("not_proven")

    def forecast(self, at: TriedRadius) -> Forecast:
        """Find what is expected of a search; of one that has not begun by how far it lies beyond what is proven."""
        if at.radius not in self.forecasts:
            lower = self.closing.proven
            self.forecasts[at.radius] = Forecast(OPENING, at.radius / lower if lower > 0 else np.inf)
        return self.forecasts[at.radius]

    def told(self) -> dict[str, Any]:
        """Say how far it came: whether it is over, and what went where, in domains."""
        return {"over": self.is_over, "spent": dict(self.spent), "tried_radii": len(self.forecasts)}

    def _wanted(self) -> list[TriedRadius]:
        """The radii whose proof would close the bracket or decide what is asked, and which may yet be proven."""
        lower, upper = self.closing.proven, min(self.questions.distance, self.closing.ceiling)
        if (epsilon := self.threat.epsilon) is not None:
            named: tuple[float, ...] = (epsilon,)
        else:
            named = self.radii
        for at in named:
            self.gates.setdefault(at, TriedRadius(at))
        found = [self.gates[at] for at in named if lower < at < upper or self.threat.epsilon is not None]
        if self.threat.epsilon is None and np.isfinite(self.closing.upper):
            closes = self.closing.upper / self.ratio / INSIDE
            if self.goal is None or not closes * INSIDE <= self.goal.radius <= MOVED * closes:
                self.goal = TriedRadius(closes)
            found.append(self.goal)
        return [at for at in found if at.can_go_on and not at.is_proven and at.radius < self.closing.ceiling]

    def _next_wanted(self) -> Deepening | None:
        wanted = self._wanted()
        if not wanted:
            return None
        at = min(wanted, key=lambda one: self.forecast(one).cost)
        return Deepening(at, 1 if at.state is None else self._as_many_again(at), is_wanted=True)

    def _as_many_again(self, at: TriedRadius) -> int:
        return min(MOST, max(FIRST, at.domains, 2 * at.too_few))

    def _smaller(self) -> Deepening | None:
        """A radius between what is proven and what is open, as `branch_and_bound` takes them."""
        if self.threat.epsilon is not None or self.closing.proven >= self.closing.upper:
            return None
        at, _ = self.closing.next_radius()
        return None if at is None or not at.can_go_on else Deepening(at, self._as_many_again(at), is_wanted=False)
