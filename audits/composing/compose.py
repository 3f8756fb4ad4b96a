"""Composes the report of an audit from what its jobs found. Pure: the same findings give the same report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from algorithms.mathematics.norms import Counting
from audits.asking.record import AuditSpec
from audits.composing import comparison, identity, limitations, rows
from audits.composing.envelope import envelope
from audits.composing.outline import summarize
from audits.document.report import Alarm, Comparison, Effort, Gallery, JobRow, Report
from audits.document.rows import SampleRow
from audits.document.verdict import Verdict
from audits.evidence.alarms import raised, shown_by
from audits.evidence.contributions import contributions
from audits.evidence.efforts import effort
from audits.evidence.evidence import Evidence
from audits.evidence.table import Table, table_of, table_of_report
from audits.policy import judging
from audits.policy.doubts import Doubts
from audits.policy.drops import Baseline
from audits.policy.judging import Ground


@dataclass(frozen=True)
class Material:
    """A report is made of this. `baseline` None: none was named, or it is gone."""

    audit_id: str
    spec: AuditSpec
    evidence: Sequence[Evidence]
    baseline: Report | None
    service: str  # version of the service that composes it
    now: datetime


def compose(material: Material, rows_: Sequence[SampleRow], gallery: Gallery | None) -> Report:
    """Composes the report. `rows_` are those of `rows.rows_of`; the gallery shows some of them."""
    spec, evidence = material.spec, material.evidence
    jobs = tuple(identity.job_row(one) for one in evidence)
    selected = len(spec.indices)
    table = table_of(rows_, jobs, spec.skipped, selected=selected, labelled=spec.samples.labelled)
    classes = spec.model.output.classes if spec.model.output and spec.samples.labelled else None
    alarms = raised(tuple(rows.samples_of(rows_, spec, evidence)), classes=classes)
    baseline = _baseline(material, jobs)
    verdict = _verdict(material, table, alarms, baseline)
    return Report(
        audit_id=material.audit_id,
        generated_at=material.now,
        verdict=verdict.verdict,
        rules=verdict.rules,
        waivers=spec.request.policy.waivers if spec.request.policy else (),
        summary=summarize(spec, rows_, table, jobs=jobs, alarms=alarms, evidence=evidence),
        model=spec.model,
        data=identity.data(spec, table),
        threat=identity.threat(spec),
        samples=_flagged(rows_, material, alarms),
        envelope=envelope(
            table, epsilon=spec.threat.epsilon, radii=_radii(spec), counts=isinstance(spec.threat.norm, Counting)
        ),
        alarms=alarms,
        efforts=tuple(e for one in evidence if (e := _effort(one))),
        contributions=contributions(evidence),
        comparisons=_comparisons(material, table, baseline),
        gallery=gallery,
        jobs=jobs,
        skipped=spec.skipped,
        settings=identity.settings(spec),
        versions=identity.versions(evidence, service=material.service),
        digests=identity.digests(spec),
        limitations=tuple(limitations.limitations(spec, jobs, table, baseline=baseline)),
    )


def _verdict(material: Material, table: Table, alarms: Sequence[Alarm], baseline: Baseline | None) -> Verdict:
    policy = material.spec.request.policy
    if policy is None:
        return Verdict(verdict=None)
    doubts = Doubts(
        errors=[alarm.code for alarm in alarms if alarm.severity == "error"],
        masks=[alarm.code for alarm in alarms if alarm.holds_back],
    )
    return judging.judge(policy, Ground(table, material.spec.threat.epsilon, baseline, doubts, material.now.date()))


def _baseline(material: Material, jobs: Sequence[JobRow]) -> Baseline | None:
    """None: no baseline was asked for."""
    if material.spec.request.baseline_audit_id is None:
        return None
    there = material.baseline
    if there is None:
        return Baseline(None, obstacle="The report of the baseline is gone.")
    here = identity.threat(material.spec)
    obstacle = comparison.obstacle(there, samples=material.spec.samples.sha256, threat=here)
    return Baseline(table_of_report(there), there.threat.epsilon, obstacle, comparison.remark(there, jobs))


def _comparisons(material: Material, table: Table, baseline: Baseline | None) -> tuple[Comparison, ...]:
    if material.baseline is None or baseline is None or baseline.obstacle:
        return ()
    return tuple(comparison.compare(table, material.baseline, remark=baseline.remark))


def _flagged(rows_: Sequence[SampleRow], material: Material, alarms: Sequence[Alarm]) -> tuple[SampleRow, ...]:
    """Each row with the raised alarms that it shows."""
    samples = rows.samples_of(rows_, material.spec, material.evidence)
    return tuple(sample.row.model_copy(update={"alarms": shown_by(sample, alarms)}) for sample in samples)


def _effort(one: Evidence) -> Effort | None:
    return effort(one.method.name, one.findings) if one.method.finds_points else None


def _radii(spec: AuditSpec) -> list[float]:
    rules = spec.request.policy.rules if spec.request.policy else ()
    return [rule.at for rule in rules if rule.at is not None]
