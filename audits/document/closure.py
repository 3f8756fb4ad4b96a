"""Closure: how many brackets are closed, and how that share grew with what was computed."""

from typing import Any

from pydantic import model_validator

from audits.document import earlier
from models.record import Archived

CLOSED = 1.1  # upper / lower up to which a bracket counts as closed
KEPT = 0.5  # of an audit's seconds, for methods that close brackets


class ClosurePoint(Archived):
    """After so many seconds of computing, all jobs together, this share was closed. `method` was the last at work."""

    method: str
    seconds: float
    share: float


class Closure(Archived):
    """A closure is the share of the samples not misclassified whose upper / lower is at most `at`, and how it grew.

    `low` and `high`: its Clopper-Pearson 95 % interval.
    """

    share: float
    low: float
    high: float
    at: float = CLOSED
    curve: tuple[ClosurePoint, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _reads_earlier_reports(cls, given: Any) -> Any:
        return earlier.closure_by_share(given)
