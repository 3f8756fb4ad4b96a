"""The bracket of one sample: the largest certified lower bound and the smallest verified adversarial distance.

    lower <= r* <= upper

A finding may bring both ends: its value, and in its details the other one as the driver kept it. Only bounds on the
same r* join: same classifier (bytes and preprocessing), norm, goal, box and reference label. A smoothed bound belongs
to another classifier, an estimate to none: neither ever joins.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from algorithms.seam.claims import Finding, Kind
from audits.evidence.evidence import Question

MISCLASSIFIED = "misclassified"


@dataclass(frozen=True)
class Claim:
    """A finding, who made it, and about which r*."""

    method: str
    question: Question
    finding: Finding


@dataclass(frozen=True)
class End:
    value: float
    by: str
    confidence: float = 1.0


@dataclass(frozen=True)
class Bracket:
    """An end is None where nothing bounds r* on that side."""

    lower: End | None
    upper: End | None

    @property
    def contradicts_itself(self) -> bool:
        return self.lower is not None and self.upper is not None and self.lower.value > self.upper.value


def join(claims: Iterable[Claim], about: Question) -> Bracket:
    """Of equal bounds the first named one stays. A sample that is wrong already has r* = 0."""
    ours = [claim for claim in claims if claim.question == about]
    if any(claim.finding.kind is Kind.MISCLASSIFIED for claim in ours):
        zero = End(0.0, MISCLASSIFIED)
        return Bracket(zero, zero)
    lowers = [end for claim in ours if (end := _lower(claim))]
    uppers = [end for claim in ours if (end := _upper(claim))]
    return Bracket(
        lower=max(lowers, key=lambda end: end.value, default=None),
        upper=min(uppers, key=lambda end: end.value, default=None),
    )


def _lower(claim: Claim) -> End | None:
    """The finding's value; or beside another one, the radius that the driver kept."""
    finding, details = claim.finding, claim.finding.details
    if finding.kind is Kind.LOWER_BOUND and finding.value is not None:
        return End(finding.value, claim.method, 1.0 if finding.confidence is None else finding.confidence)
    lower, confidence = details.get("lower"), details.get("lower_confidence")
    return End(lower, claim.method, confidence) if isinstance(lower, float) and isinstance(confidence, float) else None


def _upper(claim: Claim) -> End | None:
    """The finding's value; or beside another one, the distance of a point that the model was asked of afresh."""
    finding, details = claim.finding, claim.finding.details
    if finding.kind is Kind.UPPER_BOUND and finding.value is not None:
        return End(finding.value, claim.method)
    upper = details.get("upper")
    return End(upper, claim.method) if isinstance(upper, float) and "read_as" in details else None
