"""What an attack on scores or labels had reached by so many queries: over the samples, or classes, it was tried on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from algorithms.mathematics.best_so_far import CHECKPOINTS, MOST
from algorithms.seam.claims import Finding, Kind
from jobs.spec import JobSpec

FIRST = 100  # queries, of what is told; distances are known at all checkpoints before it

_Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_CURVE = TypeAdapter(Annotated[list[tuple[_Number, _Number]], Field(min_length=1, max_length=MOST)])


@dataclass(frozen=True)
class ByQueries:
    """This holds how near the best points of an attack had come by each of some numbers of queries."""

    checkpoints: tuple[int, ...]  # numbers of queries; the last is the budget
    best: NDArray[np.float64]  # (samples, checkpoints) distance of the best point by then; inf: not broken yet
    spent: tuple[int, ...]  # queries of each sample; one that was not broken counts what it had of the budget

    @property
    def told_at(self) -> tuple[int, ...]:
        """Lists the checkpoints to tell of: 100, 250, 500, 1000, ... and the budget."""
        return tuple(n for n in self.checkpoints if n >= FIRST or n == self.checkpoints[-1])

    def broken(self, queries: int) -> int:
        """Counts the samples that had been broken by a checkpoint."""
        return int(np.isfinite(self._by(queries)).sum())

    def distance(self, queries: int) -> float | None:
        """Returns the median distance by a checkpoint; None where too few were broken to tell."""
        median = float(np.median(self._by(queries)))
        return median if np.isfinite(median) else None

    def area(self) -> float | None:
        """Returns the mean of that median over the budget's queries: the area below it, divided by the budget.

        It is a line between checkpoints, and before it is known what it is when it comes. None where it never is.
        """
        at, medians = np.array(self.checkpoints, np.float64), np.median(self.best, axis=0)
        known = np.isfinite(medians)
        if not known.any():
            return None
        at, medians = at[known], medians[known]
        return float((at[0] * medians[0] + np.trapezoid(medians, at)) / at[-1])

    def _by(self, queries: int) -> NDArray[np.float64]:
        return self.best[:, self.checkpoints.index(queries)]


def by_queries(spec: JobSpec, tried: Sequence[Finding], share: int = 0) -> ByQueries | None:
    """Reads it from the findings of the samples that an attack was tried on.

    `share`: queries that each of them had been charged before its own first one.
    None of an attack that asks for gradients, without a budget, without a sample, or where an older version found them.
    """
    budget = spec.request.budget.queries_per_sample
    is_black_box = spec.method.family == "attack" and spec.method.threat_model != "white_box"
    if budget is None or not is_black_box or not tried:
        return None
    checkpoints = (*(n for n in CHECKPOINTS if n < budget), budget)
    own = tuple(n - share for n in checkpoints)
    best = np.full((len(tried), len(checkpoints)), np.inf)
    try:
        for row, finding in zip(best, tried, strict=True):
            if finding.kind is Kind.UPPER_BOUND:
                row[:] = _best(finding.details.get("curve"), own)
            elif finding.kind is Kind.FOOLED:  # at no distance from anything
                row[:] = _best([[finding.queries, 0.0]], own)
    except ValidationError:
        return None
    broken = (Kind.UPPER_BOUND, Kind.FOOLED)
    spent = tuple(finding.queries if finding.kind in broken else budget - share for finding in tried)
    return ByQueries(checkpoints, best, spent)


def _best(curve: Any, checkpoints: tuple[int, ...]) -> NDArray[np.float64]:
    """The best value at each checkpoint; inf before the first. Raises ValidationError: details are a runner's words."""
    costs, values = np.array(_CURVE.validate_python(curve)).T
    so_far = np.concatenate(([np.inf], np.minimum.accumulate(values)))
    return so_far[np.searchsorted(costs, np.array(checkpoints, np.float64), side="right")]
