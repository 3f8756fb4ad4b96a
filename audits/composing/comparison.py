"""One audit against another, sample by sample: which model is more robust, by how much, how surely. Pure."""

from collections.abc import Iterator, Sequence

import numpy as np

from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.statistics import median_interval, sign_test
from audits.document.report import Comparison, JobRow, Report, ThreatModel
from audits.evidence.table import Flags, Need, Table, table_of_report

_NEEDS: dict[str, Need] = {"upper": "attack", "lower": "certificate"}  # of a score: its method


def obstacle(baseline: Report, *, samples: str, threat: ThreatModel) -> str | None:
    """Says why this audit cannot be compared with it, in a sentence. `samples` is the digest of the upload."""
    if baseline.digests.samples != samples:
        return "The baseline audited other samples."
    there = baseline.threat
    if there.model_copy(update={"epsilon": threat.epsilon}) != threat:
        return "The baseline has another norm, goal, box or lattice."
    return None


def remark(baseline: Report, jobs: Sequence[JobRow]) -> str | None:
    """Says what else may have made a difference: methods that have another version by now; None where none has."""
    there = {job.method: job.version for job in baseline.jobs}
    changed = [job for job in jobs if there.get(job.method, job.version) != job.version]
    if not changed:
        return None
    told = ", ".join(f"{job.method} is version {job.version} here and was {there[job.method]} there" for job in changed)
    return f"Not only the models differ: {told}."


def compare(table: Table, baseline: Report, *, remark: str | None = None) -> Iterator[Comparison]:
    """Compares by every measure that both audits have. A sample is more robust here where its distance is larger.

    An audit that certified nothing, or found nothing, has the measure all the same; one that did not try has not.
    """
    there = table_of_report(baseline)
    _, i, j = np.intersect1d(table.indices, there.indices, assume_unique=True, return_indices=True)
    both_right = table.correct[i] & there.correct[j]
    columns = {"upper": (table.upper, there.upper), "lower": (table.lower, there.lower)}
    columns |= {score: (table.scores[score], there.scores[score]) for score in table.scores if score in there.scores}
    for measure, (here, elsewhere) in columns.items():
        ours, theirs = _or_zero(here, table)[i], _or_zero(elsewhere, there)[j]
        known = ~(np.isnan(ours) | np.isnan(theirs))
        if known.any() and _has(measure, ours, table) and _has(measure, theirs, there):
            compared = _comparison(measure, ours[known], theirs[known], both_right[known], baseline)
            yield compared.model_copy(update={"remark": remark})


def _has(measure: str, values: Numbers, table: Table) -> bool:
    return _NEEDS.get(measure, measure) not in table.gaps or bool(np.any(np.isfinite(values) & (values > 0)))


def _or_zero(values: Numbers, table: Table) -> Numbers:
    """A sample that is wrong already has distance 0, whatever the column says."""
    return np.where(table.correct, values, 0.0)


def _comparison(measure: str, ours: Numbers, theirs: Numbers, both_right: Flags, baseline: Report) -> Comparison:
    rated = both_right & np.isfinite(ours) & np.isfinite(theirs) & (theirs > 0)
    ratios = ours[rated] / theirs[rated]
    low, high = median_interval(ratios) if len(ratios) else (-np.inf, np.inf)
    larger, smaller = int((ours > theirs).sum()), int((ours < theirs).sum())
    return Comparison(
        baseline_audit_id=baseline.audit_id,
        baseline_model=baseline.model.name,
        measure=measure,
        paired=len(ours),
        larger=larger,
        smaller=smaller,
        equal=len(ours) - larger - smaller,
        median_ratio=float(np.median(ratios)) if len(ratios) else None,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
        p_value=sign_test(larger, smaller),
    )
