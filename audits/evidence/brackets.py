"""The bracket of one sample: the largest certified lower bound and the smallest verified adversarial distance.

    lower <= r* <= upper

A finding may bring both ends: its value, and in its details the other one as the driver kept it. Only bounds on the
same r* join: same classifier (bytes and preprocessing), norm, goal, box and reference label. A smoothed bound belongs
to another classifier, an estimate to none: neither ever joins.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from algorithms.seam.claims import Finding, Kind
from audits.evidence.evidence import BracketQuestion

MISCLASSIFIED = "misclassified"


@dataclass(frozen=True)
class BracketClaim:
    """A claim is a finding, who made it, and about which r*."""

    method: str
    question: BracketQuestion
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


def join(claims: Iterable[BracketClaim], about: BracketQuestion) -> Bracket:
    """Joins what speaks of one r*. Of equal bounds the first named one stays; a sample that is wrong has r* = 0."""
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


def _lower(claim: BracketClaim) -> End | None:
    known = proven(claim.finding)
    return None if known is None else End(known[0], claim.method, known[1])


def _upper(claim: BracketClaim) -> End | None:
    known = reached(claim.finding)
    return None if known is None else End(known, claim.method)


def proven(finding: Finding) -> tuple[float, float] | None:
    """Returns radius and confidence of a proof: the finding's value; or beside another one, what the driver kept."""
    details = finding.details
    if finding.kind is Kind.LOWER_BOUND and finding.value is not None:
        return finding.value, 1.0 if finding.confidence is None else finding.confidence
    lower, confidence = details.get("lower"), details.get("lower_confidence")
    return (lower, confidence) if isinstance(lower, float) and isinstance(confidence, float) else None


def reached(finding: Finding) -> float | None:
    """Returns the distance of a point: the finding's value; or beside another one, of a point asked of afresh."""
    if finding.kind is Kind.UPPER_BOUND and finding.value is not None:
        return finding.value
    upper = finding.details.get("upper")
    return upper if isinstance(upper, float) and "read_as" in finding.details else None
