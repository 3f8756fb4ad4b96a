"""An audit's rows as columns, and what could not be computed: what metrics are read from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.arrays import Numbers
from algorithms.registry import METHODS
from algorithms.seam.claims import Kind
from audits.document.estimates import SCORES, title
from audits.document.report import JobRow, Report, Skipped
from audits.document.rows import SampleRow
from jobs.states import JobState

Flags = NDArray[np.bool_]

Need = str  # labels, predictions, a kind of evidence as below, or the method of a score

_NEEDS: dict[str, tuple[Need, ...]] = {
    Kind.UPPER_BOUND: ("attack",),
    Kind.LOWER_BOUND: ("certificate",),
    "exact": ("attack", "certificate"),
    Kind.SMOOTHED_LOWER_BOUND: ("smoothing",),
}
_WORDS: dict[Need, str] = {
    "attack": "attack",
    "certificate": "certificate of the model itself",
    "smoothing": "certificate by smoothing",
    **{score: f"{title(score)} score" for score in SCORES},
}


@dataclass(frozen=True)
class Table:
    """A table has one entry a sample, in the order of the report. All columns are (n,)."""

    indices: NDArray[np.int64]
    correct: Flags
    lower: Numbers  # 0 where nothing is certified
    upper: Numbers  # inf where no attack found a point
    smoothed: Mapping[str, Numbers]  # by method; -inf where nothing is certified
    scores: Mapping[str, Numbers]  # by method; nan where there is no score
    gaps: Mapping[Need, str]  # what was not computed, and why, in a sentence


def table_of(
    rows: Sequence[SampleRow], jobs: Sequence[JobRow], skipped: Sequence[Skipped], *, selected: int, labelled: bool
) -> Table:
    """Sets rows in columns. The audit is about `selected` samples: a failed job may have been alone to look at some."""
    return Table(
        indices=np.array([row.index for row in rows], np.int64),
        correct=np.array([row.is_correct for row in rows], np.bool_),
        lower=_column([row.lower for row in rows], empty=0.0),
        upper=_column([row.upper for row in rows], empty=np.inf),
        smoothed=_estimates(rows, jobs, Kind.SMOOTHED_LOWER_BOUND, empty=-np.inf),
        scores=_estimates(rows, jobs, Kind.ESTIMATE, empty=np.nan),
        gaps=dict(_gaps(jobs, skipped, missing=selected - len(rows), labelled=labelled)),
    )


def table_of_report(report: Report) -> Table:
    data = report.data
    return table_of(
        report.samples, report.jobs, report.skipped, selected=data.selected, labelled=data.labels == "given"
    )


def ends(table: Table, epsilon: float | None) -> tuple[Table, Table]:
    """Returns the table at its worst and at its best, had every method looked for its distance; twice the same
    without epsilon.

    Asked at an epsilon, a point says nothing about nearer ones; a proof, or its lack, nothing about other radii.
    """
    if epsilon is None:
        return table, table
    less = np.nextafter(epsilon, 0.0)
    unproven, unsmoothed = np.where(table.correct, less, 0.0), np.where(table.correct, less, -np.inf)
    return replace(table, upper=np.where(np.isfinite(table.upper), 0.0, np.inf)), replace(
        table,
        lower=np.where(table.lower >= epsilon, np.inf, unproven),
        smoothed={name: np.where(radii >= epsilon, np.inf, unsmoothed) for name, radii in table.smoothed.items()},
    )


def _column(values: Sequence[float | None], *, empty: float) -> Numbers:
    return np.array([empty if value is None else value for value in values], np.float64)


def _estimates(rows: Sequence[SampleRow], jobs: Sequence[JobRow], kind: Kind, *, empty: float) -> dict[str, Numbers]:
    methods = [job.method for job in jobs if job.proves is kind]
    return {method: _column([row.value_of(method) for row in rows], empty=empty) for method in methods}


def _gaps(
    jobs: Sequence[JobRow], skipped: Sequence[Skipped], *, missing: int, labelled: bool
) -> Iterator[tuple[Need, str]]:
    """A kind of evidence is missing as soon as one of its jobs did not succeed: who knows what it would have found."""
    if not labelled:
        yield "labels", "The samples came without labels, so nobody knows which answers are right."
    if not any(job.state is JobState.SUCCEEDED for job in jobs):
        yield "predictions", "No job of the audit succeeded."
    elif missing and any(job.state is not JobState.SUCCEEDED for job in jobs):
        yield "predictions", f"Jobs failed, and {missing} of the samples were looked at by no other."
    for need, word in _WORDS.items():
        ours = [job for job in jobs if need in needs_met_by(job)]
        if lost := [job for job in ours if job.state is not JobState.SUCCEEDED]:
            why = (lost[0].error or "").rstrip(".")
            yield need, f"The job {lost[0].method} is {lost[0].state}{': ' + why if why else ''}."
        elif all(job.is_baseline for job in ours):
            names = ", ".join(skip.method for skip in skipped if need in _needs_met_by(skip.method))
            noise = " but plain noise" if ours else ""
            yield need, f"The audit has no {word}{noise}{' (skipped: ' + names + ')' if names else ''}."


def _needs_met_by(method: str) -> tuple[Need, ...]:
    """Names the evidence that a method brings by its newest version; nothing of one that is gone."""
    return next((_evidence(row.proves, method) for row in METHODS if row.name == method), ())


def needs_met_by(job: JobRow) -> tuple[Need, ...]:
    """Names the evidence that a job brings, if it succeeds."""
    return _evidence(job.proves, job.method)


def _evidence(proves: str, method: str) -> tuple[Need, ...]:
    return (method,) if proves == Kind.ESTIMATE else _NEEDS.get(proves, ())
