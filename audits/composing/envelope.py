"""Robust accuracy over the radius, between what is certified and what no attack broke. Pure."""

from collections.abc import Iterable

import numpy as np

from audits.document.report import EnvelopePoint
from audits.evidence.table import Table
from audits.policy import metrics

POINTS = 51
BEYOND = 1.05  # the curve goes on a little after its last step


def envelope(
    table: Table, *, epsilon: float | None, radii: Iterable[float], counts: bool = False
) -> tuple[EnvelopePoint, ...]:
    """Draws both ends on an even grid from 0 to the last distance known (or to epsilon), and at each rule's radius.

    Where a distance `counts`, in whole numbers: between them nothing changes.
    Empty without given labels: nobody knows what is accurate. At 0 both ends are the clean accuracy.
    """
    if table.gaps.keys() & {"labels", "predictions"}:
        return ()
    known = [*table.lower, *table.upper[np.isfinite(table.upper)]]
    last = epsilon if epsilon is not None else BEYOND * max([*known, *radii], default=0.0)
    even = np.linspace(0.0, last, POINTS)
    grid = sorted({*(np.unique(np.floor(even)) if counts else even).tolist(), *radii})
    return tuple(_point(table, at) for at in grid)


def _point(table: Table, at: float) -> EnvelopePoint:
    certified = metrics.certified(table, at) if at else metrics.clean(table)
    empirical = metrics.empirical(table, at) if at else metrics.clean(table)
    return EnvelopePoint(
        epsilon=at,
        certified=None if "certificate" in table.gaps else certified.interval(),
        empirical=None if "attack" in table.gaps else empirical.interval(),
    )
