"""The nearest point behind the boundary to first order, tried beside a search.

On a linear model none is nearer. Elsewhere it is a first success, from which on a search knows what it has to beat.
"""

import numpy as np

from algorithms.seam.access import Labels
from algorithms.seam.case import Step
from algorithms.searches.boundaries.first_order import rank_rivals
from algorithms.searches.minimum_norm.iterates import Iterates, Seen


def try_crossing(iterates: Iterates) -> Step[tuple[Labels, Seen]]:
    """Claim the crossing towards the nearest rival where it is adversarial; the points stay where they are.

    Costs a gradient for each of the leading rivals, one more, and a query. Returns the nearest rivals (n,), and what
    was seen of them at the points of those that are `going` at first.
    """
    successes = iterates.successes
    rivals = (yield from rank_rivals(successes)).rivals[:, 0]
    owners = iterates.going()
    seen = yield from iterates.look(owners, "margin", rivals[owners])
    unbroken = np.isinf(successes.distance[owners])  # of the others, hints have moved the points
    rows = iterates.crossing(owners, seen)
    through = yield from successes.confirm(owners, rows, unbroken)
    yield from successes.claim(owners[through], rows[through])
    return rivals, seen
