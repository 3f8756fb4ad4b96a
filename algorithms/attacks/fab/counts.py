"""FAB where changes are counted: it steps as in l1, where few features move at a time, and sets small changes back.

Ours: the paper has no l0. What l1 leaves of many features is small, and no point needs it once it is adversarial
without. Where a norm measures, nothing here changes anything.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.counting import largest, small, spread
from algorithms.mathematics.geometry import by_pixel
from algorithms.mathematics.norms import Counting, Norm
from algorithms.seam.access import Rows
from algorithms.seam.case import Step
from algorithms.seam.question import Owners
from algorithms.searches.tallies.successes import Successes
from algorithms.threats.threat import Threat

SMALL = 0.3  # times the largest change, in sides of the box: smaller ones are set back
DROPS = 8  # changes that are tried without, at the end, the smallest first


def steps_of(threat: Threat[Any]) -> Threat[Norm]:
    """Tell in which geometry steps are made: the threat's own, or where it counts, that of l1."""
    return replace(threat, norm=Norm.L1, epsilon=None, pixels=None) if isinstance(threat.norm, Counting) else threat


def settled(threat: Threat[Any], points: Rows, x: Rows) -> Rows:
    """Set small changes (m, d) back where the threat counts them."""
    if not isinstance(threat.norm, Counting):
        return points
    sizes = _in_sides(threat, points, x)
    return np.where(small(sizes, SMALL * sizes.max(axis=1), threat.pixels), x, points)


def come_back(successes: Successes) -> Step[None]:
    """Halve the way back to the sample from each nearest success; where changes are counted, try without each."""
    found = np.flatnonzero(np.isfinite(successes.distance) & successes.cohort.live)
    if not isinstance(successes.threat.norm, Counting):
        yield from successes.pull_back(found, successes.nearest[found].copy())
        return
    tried: Mask | None = None
    for _ in range(DROPS):
        points, x = successes.nearest[found], successes.x[found]
        sizes = by_pixel(_in_sides(successes.threat, points, x), successes.threat.pixels).max(axis=2)
        tried = np.zeros(sizes.shape, np.bool_) if tried is None else tried
        smallest = largest(
            np.where((sizes > 0) & ~tried, 1 / np.where(sizes > 0, sizes, 1.0), 0.0), np.ones(len(found))
        )
        tried = tried | smallest
        trying = smallest.any(axis=1) & successes.cohort.live[found]
        rows = np.where(spread(smallest, successes.threat.pixels), x, points)
        yield from _claim(successes, found[trying], rows[trying])


def _claim(successes: Successes, owners: Owners, rows: Rows) -> Step[None]:
    if len(owners):
        scores = yield from successes.ask(rows, owners)
        through = successes.margin(scores, owners) > 0
        yield from successes.claim(owners[through], rows[through])


def _in_sides(threat: Threat[Any], points: Rows, x: Rows) -> Numbers:
    """How large changes are, (m, d), in sides of the box; where it has no end, as they are."""
    sides = np.broadcast_to(np.ravel(threat.box.sides), x.shape)
    return np.abs(points.astype(np.float64) - x) / np.where(np.isfinite(sides) & (sides > 0), sides, 1.0)
