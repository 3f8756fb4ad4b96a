"""How the distances of an attack fell while it asked: the curve that shows whether its budget was enough. Pure."""

from collections.abc import Sequence

import numpy as np

from algorithms.seam.claims import Finding, Kind
from audits.document.report import Effort, EffortPoint
from audits.evidence.brackets import reached

MOST_SHARED = 1_000_000  # queries of a warm-up that a sample may have been charged
POINTS = 24  # of a curve, evenly spaced on a logarithmic scale


def effort(method: str, findings: Sequence[Finding]) -> Effort | None:
    """Traces the samples that were right to begin with; a query or a gradient counts 1. None without such a sample.

    What each was charged before its own first query, for a warm-up of the job, counts too.
    """
    tried = [finding for finding in findings if finding.kind is not Kind.MISCLASSIFIED]
    if not tried:
        return None
    most = max(_charged_before(finding) + finding.queries + finding.gradients for finding in tried)
    grid = np.unique(np.geomspace(1, max(most, 2), POINTS).round().astype(int)).tolist()
    return Effort(method=method, points=tuple(_point(cost, tried) for cost in grid))


def _point(cost: int, findings: Sequence[Finding]) -> EffortPoint:
    distances = np.array([_distance_by(cost, finding) for finding in findings])
    median = float(np.median(distances))
    return EffortPoint(
        queries=cost,
        found=float(np.isfinite(distances).mean()),
        median_distance=median if np.isfinite(median) else None,
    )


def _distance_by(cost: int, finding: Finding) -> float:
    """The smallest distance that was shown for at most this much; inf before the first success."""
    if reached(finding) is None:
        return np.inf
    own = cost - _charged_before(finding)
    return min((float(away) for spent, away in finding.details.get("trace", ()) if spent <= own), default=np.inf)


def _charged_before(finding: Finding) -> int:
    share = finding.details.get("warm_up_queries")
    return share if isinstance(share, int) and 0 <= share <= MOST_SHARED else 0  # details are a runner's words
