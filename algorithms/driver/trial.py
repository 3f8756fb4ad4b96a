"""One sample on trial: what it has cost, what has been claimed of it, and what of that is believed."""

from dataclasses import dataclass, field

from algorithms.mathematics.best_so_far import BestSoFar
from algorithms.seam.access import Rows
from algorithms.seam.case import Case
from algorithms.seam.claims import (
    Abstained,
    Claim,
    Details,
    Ended,
    Estimate,
    Exact,
    LowerBound,
    Note,
    Showing,
    SmoothedLowerBound,
)
from algorithms.seam.cost import Cost
from algorithms.threats.threat import Threat

BEHIND = 3  # earlier points kept: the best may hug a boundary that the model does not draw twice alike


@dataclass(slots=True)
class Trial:
    """A trial is the only mutable thing in a run. The driver owns it; methods never see it."""

    index: int  # row in the upload
    case: Case
    predicted: int
    limit: Cost  # what clean row and questions may cost in all, each row asked once
    reserve: int  # rows beside it, for the final fresh re-query
    repeats: int = 1  # queries that a row costs
    rows: int = 1  # that were sent: the clean row
    gradients: int = 0
    ended: Ended = "finished"
    is_over: bool = False
    is_confirmed: bool = False  # the best point, by the model asked afresh
    read_as: int | None = None  # what the model says of it then
    lowers: list[LowerBound | Exact] = field(default_factory=list)  # all: a point may refute those that may be wrong
    smoothed: SmoothedLowerBound | None = None  # the largest
    estimate: Estimate | None = None  # the last
    abstained: Abstained | None = None  # the last
    notes: Details = field(default_factory=dict)
    shown: list[tuple[Showing, float, int]] = field(default_factory=list)  # (point, distance, cost)
    best: BestSoFar = field(default_factory=BestSoFar)  # distances of successes, by cost

    @property
    def queries(self) -> int:
        return self.rows * self.repeats

    def pay(self, cost: Cost) -> bool:
        """Tell whether the budget has room for a cost, which is charged if so."""
        (rows, gradients), (most_rows, most_gradients) = cost, self.limit
        rows, gradients = self.rows + rows, self.gradients + gradients
        if rows > most_rows or gradients > most_gradients:
            return False
        self.rows, self.gradients = rows, gradients
        return True

    def stop(self, why: Ended) -> None:
        self.ended, self.is_over = why, True

    def hear(self, claim: Claim, threat: Threat) -> None:
        """Keep what improves on what is known. Nothing a method says of distances is taken from it."""
        if isinstance(claim, Showing):
            self._hear_point(claim, threat)
        match claim:
            case Note():
                self.notes.update(claim.details)
            case LowerBound() | Exact():
                self.lowers.append(claim)
            case SmoothedLowerBound() if self.smoothed is None or claim.radius > self.smoothed.radius:
                self.smoothed = claim
            case Estimate():
                self.estimate = claim
            case Abstained():
                self.abstained = claim

    def _hear_point(self, claim: Showing, threat: Threat) -> None:
        if not threat.allows(claim.x_adv, self.case.x):
            return
        away = threat.distance(claim.x_adv, self.case.x)
        is_near = threat.epsilon is None or away <= threat.epsilon
        if is_near and (not self.shown or away < self.shown[-1][1]):
            self.shown = [*self.shown[-BEHIND:], (claim, away, self.queries + self.gradients)]
            self.best.add(self.shown[-1][2], away)

    def needs_confirmation(self) -> bool:
        """Tell whether it has a point that the model has not been asked of afresh, and a query for that."""
        return bool(self.shown) and not self.is_confirmed and self.rows < self.limit.queries + self.reserve

    def best_point(self) -> Rows:
        return self.shown[-1][0].x_adv

    def confirm(self, holds: bool, read_as: int) -> None:
        """Take in the fresh re-query of the best point, charged to the row that was reserved for it.

        Where the model answers the same row differently, what was seen cannot be shown again. The point found before
        it, farther out, is asked next, as long as the budget has queries left.
        """
        self.rows += 1
        self.is_confirmed, self.read_as = holds, read_as
        if holds:
            return
        self.shown.pop()
        self.notes["unconfirmed"] = self.notes.get("unconfirmed", 0) + 1
        if not self.needs_confirmation():
            self.shown, self.abstained = [], Abstained("not_confirmed")
            return
        _, away, cost = self.shown[-1]
        self.best.take_back_to(cost, away)
