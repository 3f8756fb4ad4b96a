"""The report's table, sample by sample, from the findings of all jobs. Pure."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from algorithms.mathematics.norms import Counting, Norm
from algorithms.method import Method
from algorithms.seam.access import Access
from algorithms.seam.claims import Finding
from audits.asking.record import AuditSpec
from audits.document import earlier
from audits.document.estimates import BESIDE, SampleEstimate
from audits.document.rows import MethodResult, SampleRow
from audits.evidence.brackets import Bracket, BracketClaim, join
from audits.evidence.evidence import Evidence
from audits.evidence.signs import GradientSort, Sample, is_white_box
from models.cards import ModelCard
from models.kinds import KINDS


def rows_of(spec: AuditSpec, evidence: Sequence[Evidence]) -> tuple[SampleRow, ...]:
    """Makes one row for every selected sample that any job tells of, in the order of the selection."""
    found = ((index, [e for e in evidence if index in e.by_index]) for index in spec.indices)
    return tuple(_row(index, told) for index, told in found if told)


def samples_of(rows: Sequence[SampleRow], spec: AuditSpec, evidence: Sequence[Evidence]) -> Iterator[Sample]:
    """Shows the rows as the alarms look at them."""
    methods = {e.method.name: e.method for e in evidence}
    told = _told_from_inside(spec, evidence)
    widest = _widest(spec)
    features = math.prod(spec.samples.shape)
    threat = spec.request.threat
    is_targeted, noise_searches = threat.goal != "untargeted", threat.norm in (Norm.L1, Counting.L0)
    for row in rows:
        findings = {e.method.name: e.by_index[row.index] for e in evidence if row.index in e.by_index}
        yield Sample(
            row=row,
            findings=findings,
            methods=methods,
            epsilon=spec.threat.epsilon,
            widest=widest,
            features=features,
            gradients=_gradients(spec.model),
            is_targeted=is_targeted,
            noise_searches=noise_searches,
            told=told,
        )


def _told_from_inside(spec: AuditSpec, evidence: Sequence[Evidence]) -> frozenset[str]:
    """Names the methods whose hints may come from an attack that saw gradients: one of an earlier phase did."""
    phase_of = {step.name: i for i, phase in enumerate(spec.phases) for step in phase}
    first = min((phase_of.get(e.method.name, -1) for e in evidence if is_white_box(e.method)), default=len(phase_of))
    return frozenset(e.method.name for e in evidence if e.spec.hints and phase_of.get(e.method.name, 0) > first)


def _gradients(card: ModelCard) -> GradientSort:
    """What the card says of gradients: an access that is offered or withheld could be had from the model's kind."""
    withheld = next((each for each in card.withheld if each.offer is Access.GRADIENTS), None)
    if withheld is not None:
        return "flat" if withheld.by_kind else "expected"
    if Access.GRADIENTS in card.offers:
        return "expected"
    return "none" if KINDS[card.kind].is_remote else "flat"


def _widest(spec: AuditSpec) -> float:
    """The distance between opposite corners of the box."""
    threat = spec.threat.threat(spec.samples.shape)
    sides = np.broadcast_to(threat.box.sides, spec.samples.shape)
    return float(threat.lengths(sides[None])[0])


def _row(index: int, evidence: Sequence[Evidence]) -> SampleRow:
    findings = {e.method.name: e.by_index[index] for e in evidence}
    about = evidence[0].question(index)
    bracket = join((BracketClaim(e.method.name, e.question(index), e.by_index[index]) for e in evidence), about)
    first = evidence[0].by_index[index]
    estimates = {e.method.name: _estimate(e.method, e.by_index[index]) for e in evidence if e.method.kind in BESIDE}
    return SampleRow(
        index=index,
        label=first.label,
        predicted=first.predicted,
        **_ends(bracket),
        estimates=estimates,
        **earlier.columns(estimates),
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


def _estimate(method: Method, finding: Finding) -> SampleEstimate:
    details, has_value = finding.details, finding.kind is method.kind
    figures = {name: _number(details.get(name)) for name in method.reported}
    return SampleEstimate(
        kind=method.kind,
        value=finding.value if has_value else None,
        confidence=finding.confidence if has_value else None,
        interval=details.get("interval") if has_value else None,
        status=details.get("status") if has_value else details.get("reason"),
        figures={name: number for name, number in figures.items() if number is not None},
    )


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
