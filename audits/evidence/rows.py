"""The report's table, sample by sample, from the findings of all jobs. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from algorithms.mathematics.geometry import lengths
from algorithms.seam.claims import Finding, Kind
from audits.asking.record import AuditSpec
from audits.document.report import MethodResult, SampleRow
from audits.evidence.alarms import Sample
from audits.evidence.brackets import Bracket, Claim, join
from audits.evidence.evidence import Evidence

CLEVER = "clever"


def rows_of(spec: AuditSpec, evidence: Sequence[Evidence]) -> tuple[SampleRow, ...]:
    """One row for every selected sample that any job tells of, in the order of the selection."""
    found = ((index, [e for e in evidence if index in e.by_index]) for index in spec.indices)
    return tuple(_row(index, told) for index, told in found if told)


def samples_of(rows: Sequence[SampleRow], spec: AuditSpec, evidence: Sequence[Evidence]) -> Iterator[Sample]:
    """The rows as the alarms look at them."""
    attacks = [e.method for e in evidence if e.method.proves is Kind.UPPER_BOUND]
    white_box = frozenset(method.name for method in attacks if method.threat_model == "white_box")
    black_box = frozenset(method.name for method in attacks) - white_box
    widest = _widest(spec)
    for row in rows:
        findings = {e.method.name: e.by_index[row.index] for e in evidence if row.index in e.by_index}
        is_targeted = spec.request.threat.goal != "untargeted"
        yield Sample(row, findings, white_box, black_box, spec.threat.epsilon, widest, is_targeted)


def _widest(spec: AuditSpec) -> float:
    """The distance between opposite corners of the box."""
    threat = spec.threat.threat(spec.samples.shape)
    sides = np.broadcast_to(threat.box.upper.astype(np.float64) - threat.box.lower, spec.samples.shape)
    return float(lengths(sides[None], threat.norm)[0])


def _row(index: int, evidence: Sequence[Evidence]) -> SampleRow:
    findings = {e.method.name: e.by_index[index] for e in evidence}
    about = evidence[0].question(index)
    bracket = join((Claim(e.method.name, e.question(index), e.by_index[index]) for e in evidence), about)
    first = evidence[0].by_index[index]
    smoothed = _largest(findings, Kind.SMOOTHED_LOWER_BOUND)
    return SampleRow(
        index=index,
        label=first.label,
        predicted=first.predicted,
        **_ends(bracket),
        **_clever(findings.get(CLEVER)),
        smoothed=None if smoothed is None else smoothed.value,
        smoothed_confidence=None if smoothed is None else smoothed.confidence,
        methods={name: result_of(finding) for name, finding in findings.items()},
    )


def _ends(bracket: Bracket) -> dict[str, Any]:
    lower, upper = bracket.lower, bracket.upper
    return {
        "lower": lower and lower.value,
        "lower_by": lower and lower.by,
        "lower_confidence": lower and lower.confidence,
        "upper": upper and upper.value,
        "upper_by": upper and upper.by,
    }


def _clever(finding: Finding | None) -> dict[str, Any]:
    if finding is None:
        return {"clever": None}
    details, is_score = finding.details, finding.kind is Kind.ESTIMATE
    return {
        "clever": finding.value if is_score else None,
        "clever_interval": details.get("interval") if is_score else None,
        "clever_max": details.get("max_sample_score") if is_score else None,
        "clever_status": details.get("status") if is_score else details.get("reason"),
        **{f"clever_{name}": _number(details.get(name)) for name in ("radius", "shape", "ks_p", "end_point")},
    }


def _largest(findings: dict[str, Finding], kind: Kind) -> Finding | None:
    return max((f for f in findings.values() if f.kind is kind), key=lambda f: f.value or 0.0, default=None)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def result_of(finding: Finding) -> MethodResult:
    """The report keeps a finding in short, without its details."""
    reason = finding.details.get("reason")
    return MethodResult(
        kind=finding.kind,
        value=finding.value,
        reason=reason if isinstance(reason, str) else None,
        queries=finding.queries,
        gradients=finding.gradients,
        ended=finding.ended,
        fosc=_number(finding.details.get("fosc")),
    )
