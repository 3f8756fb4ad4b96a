"""What the phases so far leave to the next: each sample's nearest adversarial point and largest certain radius. Pure.

Nothing depends on which job ended first: the jobs are looked at in the order of the recipe, and of equal points the
first named one stays. A radius that holds with a probability only is told to nobody: `proven` means certain. A job that
failed, or a point that is gone, leaves no hint; the others do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from algorithms.seam.access import Rows
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from audits.evidence.brackets import proven, reached
from audits.evidence.evidence import Evidence

Points = Callable[[str, Iterable[int]], Mapping[int, Rows]]
"""(job, rows of the upload) -> those of its adversarial points (*shape) that are there."""


def hints(evidence: Sequence[Evidence], points: Points, *, most_points: int) -> dict[int, Hint]:
    """Collects {row of the upload: hint}, with the point for the first `most_points` that have one."""
    known: dict[int, Hint] = {}
    nearest: dict[int, str] = {}  # the job whose point it is
    for one in evidence:
        for finding in one.findings:
            before = known.get(finding.index, NOTHING_KNOWN)
            distance = reached(finding)
            if distance is not None and 0 < distance < before.reached:
                nearest[finding.index] = one.job.id
                known[finding.index] = before = replace(before, reached=distance)
            radius, confidence = proven(finding) or (0.0, 1.0)
            if confidence == 1 and radius > before.proven:
                known[finding.index] = replace(before, proven=radius)
    shown = dict(sorted(nearest.items())[:most_points])
    for job_id in [one.job.id for one in evidence]:
        wanted = [index for index, found_by in shown.items() if found_by == job_id]
        for index, x in (points(job_id, wanted) if wanted else {}).items():
            known[index] = replace(known[index], point=x)
    return known
