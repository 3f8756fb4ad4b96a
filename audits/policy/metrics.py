"""The metrics that rules may name: what each one is, and how sure it is. Pure.

Rates come with Clopper-Pearson intervals, medians with order statistics; both are exact and need no distribution.
Samples that are wrong before any change count against the model: not certified, broken at any radius, distance 0.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.statistics import clopper_pearson, median_interval
from audits.document.estimates import SCORES
from audits.document.verdict import EvidenceKind
from audits.evidence.table import Flags, Need, Table, ends
from audits.policy.policy import MetricName
from jobs.summary import Interval

LEVEL = 0.95  # of the interval shown where nobody names another


@dataclass(frozen=True)
class Share:
    """A share is how many of how many."""

    flags: Flags

    @property
    def count(self) -> int:
        return int(self.flags.sum())

    @property
    def of(self) -> int:
        return len(self.flags)

    @property
    def value(self) -> float:
        return self.count / self.of if self.of else 0.0

    def interval(self, level: float = LEVEL) -> Interval | None:
        """Returns the rate with its interval; None without a trial, where there is no rate."""
        if not self.of:
            return None
        low, high = clopper_pearson(self.count, self.of, level)
        return Interval(value=self.value, low=low, high=high)


@dataclass(frozen=True)
class Middle:
    """A middle is the median of distances, inf among them."""

    values: Numbers

    def interval(self, level: float = LEVEL) -> Interval | None:
        """Returns the median with its interval, whose ends may be infinite; None without a value."""
        if not len(self.values):
            return None
        low, high = median_interval(self.values, level)
        return Interval(value=self.value, low=low, high=high)

    @property
    def value(self) -> float:
        return float(np.median(self.values)) if len(self.values) else 0.0


@dataclass(frozen=True)
class PointValue:
    """A point value is an estimate: it has no interval that would mean anything."""

    value: float | None


Sampled = Share | Middle
Reading = Sampled | PointValue


@dataclass(frozen=True)
class Metric:
    name: MetricName
    evidence: EvidenceKind
    needs: tuple[Need, ...]
    read: Callable[[Table, float | None], Reading]

    def ends(self, table: Table, at: float | None, epsilon: float | None) -> tuple[Sampled, Sampled]:
        """Returns the least and the most that it could be, had every method looked for its distance; of no estimate."""
        one, other = (self.read(end, at) for end in ends(table, epsilon))
        assert not isinstance(one, PointValue)
        assert not isinstance(other, PointValue)
        return (one, other) if one.value <= other.value else (other, one)


def clean(table: Table) -> Share:
    return Share(table.correct)


def certified(table: Table, at: float) -> Share:
    return Share(table.correct & (table.lower >= at))


def empirical(table: Table, at: float) -> Share:
    """An adversarial point at exactly `at` lies within the ball: it breaks the sample."""
    return Share(table.correct & (table.upper > at))


def success_rate(table: Table, at: float | None) -> Share:
    """Counts those of the samples that are right which were broken; `at` None: at any distance."""
    upper = table.upper[table.correct]
    return Share(np.isfinite(upper) if at is None else upper <= at)


def smoothed(table: Table, at: float) -> Share:
    """Counts what the smoothed classifier certifies, the best one of several. Abstentions count against it."""
    shares = [Share(radii >= at) for radii in table.smoothed.values()]
    return max(shares, key=lambda share: share.count, default=Share(np.zeros(len(table.indices), np.bool_)))


def scored(table: Table, method: str) -> Numbers:
    """Returns the scores of the samples that are right and have one."""
    column = table.scores.get(method, np.zeros(0))
    return column[table.correct & ~np.isnan(column)] if len(column) else column


def _score(method: str, summarize: Callable[[Numbers], Any]) -> Callable[[Table, float | None], PointValue]:
    def read(table: Table, at: float | None) -> PointValue:
        del at
        values = scored(table, method)
        return PointValue(float(summarize(values)) if len(values) else None)

    return read


def _score_metrics(method: str) -> Iterator[Metric]:
    for name, summarize in (("mean", np.mean), ("median", np.median), ("min", np.min)):
        yield Metric(f"{method}_{name}", "estimate", (method,), _score(method, summarize))


def radius(at: float | None) -> float:
    """Insists on a radius: `policy.check` let no rule through that needs one and has none."""
    assert at is not None
    return at


def _at(read: Callable[[Table, float], Share]) -> Callable[[Table, float | None], Share]:
    return lambda table, at: read(table, radius(at))


METRICS: dict[MetricName, Metric] = {
    metric.name: metric
    for metric in (
        Metric("clean_accuracy", "empirical", ("labels", "predictions"), lambda table, _: clean(table)),
        Metric("certified_accuracy", "certified", ("labels", "certificate"), _at(certified)),
        Metric("empirical_robust_accuracy", "empirical", ("labels", "attack"), _at(empirical)),
        Metric("attack_success_rate", "empirical", ("attack",), success_rate),
        Metric("smoothed_certified_accuracy", "certified", ("labels", "smoothing"), _at(smoothed)),
        Metric("median_upper_bound", "empirical", ("attack",), lambda table, _: Middle(table.upper)),
        Metric("median_lower_bound", "certified", ("certificate",), lambda table, _: Middle(table.lower)),
        *(metric for score in SCORES for metric in _score_metrics(score)),
    )
}  # fmt: skip
"""`robust_accuracy` is no reading of one column: it lies between two, and `judging.py` knows it."""
