"""What each attack added to what the others found: where its point is the nearest, and by how much. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np

from audits.document.report import Contribution
from audits.evidence.brackets import reached
from audits.evidence.evidence import Evidence


def contributions(evidence: Sequence[Evidence]) -> tuple[Contribution, ...]:
    """Tells it of the attacks in the order of the recipe; of equal points the first named one is the nearest.

    Where an attack began is not looked at: what it made nearer of a point that an earlier phase found is its own.
    """
    attacks = [one for one in evidence if one.method.finds_points]
    found = {one.method.name: _found(one) for one in attacks}
    nearest = {
        index: min((name for name in found if index in found[name]), key=lambda name: found[name][index])
        for index in sorted({index for distances in found.values() for index in distances})
    }
    return tuple(_of(name, found, nearest) for name in found)


def _of(name: str, found: Mapping[str, Mapping[int, float]], nearest: Mapping[int, str]) -> Contribution:
    ours = [index for index, by in nearest.items() if by == name]
    next_best = [
        min(
            (distances[index] for other, distances in found.items() if other != name and index in distances),
            default=None,
        )
        for index in ours
    ]
    ratios = [far / found[name][index] for index, far in zip(ours, next_best, strict=True) if far is not None]
    return Contribution(
        method=name,
        found=len(found[name]),
        nearest=len(ours),
        alone=len(ours) - len(ratios),
        next_best=float(np.median(ratios)) if ratios else None,
    )


def _found(one: Evidence) -> dict[int, float]:
    """Distances by row of the upload; a sample that is wrong before any change tells nothing of an attack."""
    distances = ((finding.index, reached(finding)) for finding in one.findings)
    return {index: distance for index, distance in distances if distance}
