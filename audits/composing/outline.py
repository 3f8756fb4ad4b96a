"""The audit in a few numbers. Pure."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.seam.claims import Kind
from audits.asking.record import AuditSpec
from audits.composing.closure import closure
from audits.document import earlier
from audits.document.estimates import BESIDE, EstimateSummary, MedianInterval
from audits.document.report import Alarm, JobRow
from audits.document.rows import SampleRow
from audits.document.summary import AuditSummary
from audits.evidence.evidence import Evidence
from audits.evidence.table import Table, needs_met_by
from audits.policy.metrics import METRICS, Middle, Share, scored
from audits.policy.policy import MetricName
from jobs.states import JobState
from jobs.summary import Interval, Spread


def summarize(
    spec: AuditSpec,
    rows: Sequence[SampleRow],
    table: Table,
    *,
    jobs: Sequence[JobRow],
    alarms: Sequence[Alarm],
    evidence: Sequence[Evidence],
) -> AuditSummary:
    lower, upper = _median("median_lower_bound", table), _median("median_upper_bound", table) or _by_noise(jobs, table)
    epsilon = spec.threat.epsilon
    estimates = {job.method: _estimates(job, rows, table) for job in jobs if job.proves in BESIDE}
    return AuditSummary(
        samples=len(table.indices),
        labels="given" if spec.samples.labelled else "predicted",
        clean_accuracy=_share("clean_accuracy", table, None),
        certified_accuracy=None if epsilon is None else _share("certified_accuracy", table, epsilon),
        empirical_robust_accuracy=None if epsilon is None else _share("empirical_robust_accuracy", table, epsilon),
        attack_success_rate=_share("attack_success_rate", table, epsilon),
        median_lower_bound=_finite(lower.value if lower else None),
        median_lower_interval=_ends(lower),
        median_upper_bound=_finite(upper.value if upper else None),
        median_upper_interval=_ends(upper),
        closure=closure(table, evidence),
        estimates=estimates,
        **earlier.spreads(estimates),
        queries=sum(job.queries.total for job in jobs if job.queries),
        gradients=sum(job.gradients for job in jobs),
        seconds=sum(job.seconds for job in jobs),
        alarms={alarm.code: alarm.count for alarm in alarms},
    )


def _estimates(job: JobRow, rows: Sequence[SampleRow], table: Table) -> EstimateSummary:
    is_score = job.proves is Kind.ESTIMATE
    smoothed = table.smoothed.get(job.method, np.zeros(0))
    values = scored(table, job.method) if is_score else smoothed[np.isfinite(smoothed)]
    told = (row.estimates[job.method].status for row in rows if job.method in row.estimates)
    return EstimateSummary(
        kind=Kind.ESTIMATE if is_score else Kind.SMOOTHED_LOWER_BOUND,
        samples=len(values),
        value=_spread(values),
        median_interval=_ends(Middle(values).interval()) if is_score else None,
        statuses=dict(Counter(status for status in told if status)),
    )


def _share(name: MetricName, table: Table, at: float | None) -> Interval | None:
    metric = METRICS[name]
    reading = metric.read(table, at)
    is_known = isinstance(reading, Share) and not table.gaps.keys() & set(metric.needs)
    return reading.interval() if is_known and isinstance(reading, Share) else None


def _median(name: MetricName, table: Table) -> Interval | None:
    metric = METRICS[name]
    if table.gaps.keys() & set(metric.needs):
        return None
    reading = metric.read(table, None)
    assert isinstance(reading, Middle)
    return reading.interval()


def _by_noise(jobs: Sequence[JobRow], table: Table) -> Interval | None:
    """Where plain noise alone ran its points count, of half of the samples or more; its silence does not."""
    attacks = [job for job in jobs if "attack" in needs_met_by(job)]
    if not attacks or not all(job.is_baseline and job.state is JobState.SUCCEEDED for job in attacks):
        return None
    found = Middle(table.upper).interval()
    return found if found is not None and np.isfinite(found.value) else None


def _ends(median: Interval | None) -> MedianInterval | None:
    return None if median is None else MedianInterval(low=_finite(max(median.low, 0.0)), high=_finite(median.high))


def _finite(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _spread(values: Numbers) -> Spread | None:
    found = values.tolist()
    if not found:
        return None
    return Spread(mean=fmean(found), median=median(found), min=min(found), max=max(found))
