"""The fewest changes that cross the boundary to first order, tried beside a search that counts changes.

On a linear model no point has fewer. Elsewhere it is a first success, from which on a search knows what it has to beat.
"""

import numpy as np

from algorithms.seam.case import Step
from algorithms.searches.first_order import rank_rivals
from algorithms.searches.iterates import Iterates


def try_crossing(iterates: Iterates) -> Step[None]:
    """Claim the crossing towards the nearest rival where it is adversarial, of samples that no hint has broken.

    Costs a gradient for each of the leading rivals, one more, and a query. The points stay where they are.
    """
    successes = iterates.successes
    rivals = (yield from rank_rivals(successes)).rivals[:, 0]
    owners = np.array([i for i in iterates.going() if np.isinf(successes.distance[i])], np.int64)
    seen = yield from iterates.look(owners, "margin", rivals[owners])
    rows = iterates.crossing(owners, seen, iterates.first_order(owners, seen))
    through = yield from successes.confirm(owners, rows, np.ones(len(owners), np.bool_))
    yield from successes.claim(owners[through], rows[through])
