"""One sample on trial: what it has cost, what has been claimed of it, and what of that is believed."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.geometry import distance
from algorithms.method import Budget
from algorithms.seam.access import Rows
from algorithms.seam.claims import (
    Abstained,
    Claim,
    Details,
    Ended,
    Estimate,
    Finding,
    Kind,
    LowerBound,
    Note,
    Outcome,
    SmoothedLowerBound,
    UpperBound,
)
from algorithms.seam.cost import Cost
from algorithms.seam.threat import Threat

STAGE = 1.25  # a trace keeps one success while the cost grows by this: 40 up to 10,000 queries
BEHIND = (
    3  # points kept that were the best before: the best may hug a boundary that the model does not draw twice alike
)


@dataclass(slots=True)
class Trial:
    """The only mutable thing in a run. The driver owns it; methods never see it."""

    index: int  # row in the upload
    x: Rows  # (*shape)
    label: int
    target: int | None
    predicted: int
    limit: Cost  # what clean row and questions may cost in all; the final re-query is already taken off
    queries: int = 1  # the clean row
    gradients: int = 0
    ended: Ended = "finished"
    is_over: bool = False
    is_confirmed: bool = False
    read_as: int | None = None  # what the model says of the best point, asked afresh
    value: float | None = None  # of the best claim so far
    best: Claim | None = None
    notes: Details = field(default_factory=dict)
    shown: list[tuple[UpperBound, float, int]] = field(default_factory=list)  # (point, distance, cost): the best last
    trace: dict[int, list[float]] = field(default_factory=dict)  # stage -> [cost, distance] of its last success

    def can_pay(self, cost: Cost) -> bool:
        within_queries = self.queries + cost.queries <= self.limit.queries
        return within_queries and self.gradients + cost.gradients <= self.limit.gradients

    def charge(self, cost: Cost) -> None:
        self.queries += cost.queries
        self.gradients += cost.gradients

    def stop(self, why: Ended) -> None:
        self.ended, self.is_over = why, True

    def hear(self, claim: Claim, threat: Threat) -> None:
        """Keep the claim if it improves on what is known. Nothing a method says of distances is taken from it."""
        match claim:
            case Note():
                self.notes.update(claim.details)
            case UpperBound():
                self._hear_point(claim, threat)
            case LowerBound() | SmoothedLowerBound():
                self._keep(claim, claim.radius, self.value is None or claim.radius > self.value)
            case Estimate():
                self._keep(claim, claim.value, True)
            case Abstained():
                self._keep(claim, None, self.value is None)

    def _hear_point(self, claim: UpperBound, threat: Threat) -> None:
        if not np.all(np.isfinite(claim.x_adv)) or not threat.box.contains(claim.x_adv[None]).all():
            return
        away = distance(claim.x_adv, self.x, threat.norm)
        if threat.epsilon is None or away <= threat.epsilon:
            improves = self.value is None or away < self.value
            self._keep(claim, away, improves)
            if improves:
                self.shown = [*self.shown[-BEHIND:], (claim, away, self.queries + self.gradients)]
                self._trace(*self.shown[-1][1:])

    def _trace(self, away: float, cost: int) -> None:
        self.trace[int(math.log(cost) / math.log(STAGE))] = [cost, away]

    def _keep(self, claim: Claim, value: float | None, improves: bool) -> None:
        if improves:
            self.best, self.value = claim, value

    def needs_confirmation(self) -> bool:
        return isinstance(self.best, UpperBound) and not self.is_confirmed

    @property
    def is_settled(self) -> bool:
        """What is known of it will not change."""
        return self.is_over and not self.needs_confirmation()

    def best_point(self) -> Rows:
        assert isinstance(self.best, UpperBound)
        return self.best.x_adv

    def confirm(self, holds: bool, read_as: int) -> None:
        """The fresh re-query of the best point, charged to the query that was reserved for it.

        Where the model answers the same row differently, what was seen cannot be shown again. The point found before
        it, farther out, is asked next, as long as the budget has queries left.
        """
        self.queries += 1
        self.is_confirmed, self.read_as = holds, read_as
        if holds:
            return
        self.shown.pop()
        self.notes["unconfirmed"] = self.notes.get("unconfirmed", 0) + 1
        if not self.shown or self.queries > self.limit.queries:
            self.best, self.value = Abstained("not_confirmed"), None
            return
        self.best, away, cost = self.shown[-1]
        self.value = away
        self.trace = {stage: success for stage, success in self.trace.items() if success[1] > away}
        self._trace(away, cost)

    def outcome(self, threat: Threat, proves: Kind) -> Outcome:
        kind, value, confidence, details = self._conclusion(proves)
        finding = Finding(
            index=self.index,
            label=self.label,
            predicted=self.predicted,
            kind=kind,
            norm=threat.norm.value,
            value=value,
            confidence=confidence,
            queries=self.queries,
            gradients=self.gradients,
            ended=self.ended,
            details=self.notes | details,
        )
        return Outcome(finding, self.best.x_adv if isinstance(self.best, UpperBound) else None)

    def _conclusion(self, proves: Kind) -> tuple[Kind, float | None, float | None, Details]:
        match self.best:
            case UpperBound(details=details):
                shown = {"trace": list(self.trace.values()), "read_as": self.read_as}
                return Kind.UPPER_BOUND, self.value, None, shown | details
            case LowerBound(confidence=confidence, details=details):
                return Kind.LOWER_BOUND, self.value, confidence, details
            case SmoothedLowerBound(confidence=confidence, details=details):
                return Kind.SMOOTHED_LOWER_BOUND, self.value, confidence, details
            case Estimate(details=details):
                return Kind.ESTIMATE, self.value, None, details
            case Abstained(reason=reason, details=details):
                return Kind.ABSTAINED, None, None, {"reason": reason} | details
            case _ if self.predicted != self.label:
                return Kind.MISCLASSIFIED, 0.0, None, {}
            case _:
                reason = "not_found" if proves is Kind.UPPER_BOUND else "unfinished"
                return Kind.ABSTAINED, None, None, {"reason": reason}


def limit_of(budget: Budget, *, reserve: int) -> Cost:
    """What questions may cost: the budget less the queries reserved for the end."""
    unlimited = 2**62
    queries = unlimited if budget.queries is None else budget.queries - reserve
    return Cost(queries, unlimited if budget.gradients is None else budget.gradients)


def is_adversarial(scores: NDArray[np.float32], trial: Trial) -> bool:
    """Scores (classes,) that no longer favor the label (or strictly favor the target). A tie is not a success."""
    if not np.all(np.isfinite(scores)):
        return False
    if trial.target is not None:
        return bool(scores[trial.target] > np.delete(scores, trial.target).max())
    return bool(np.delete(scores, trial.label).max() > scores[trial.label])
