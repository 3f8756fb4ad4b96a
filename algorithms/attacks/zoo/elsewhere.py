"""Where to begin when scores are flat all around a sample: at noise that is adversarial, drawn back to the boundary.

That takes labels only. At a boundary the scores of two classes are equal, so that even rounded ones tell them apart.
"""

from collections.abc import Sequence

import numpy as np

from algorithms.mathematics.arrays import Mask
from algorithms.seam.case import Step
from algorithms.seam.question import Owners
from algorithms.searches.labels.starts import NOISE_STARTS, AnyRow
from algorithms.searches.tallies.successes import Successes


def begin_at_noise(
    successes: Successes, owners: Owners, rngs: Sequence[np.random.Generator], confidence: float
) -> Step[Mask]:
    """Try noise for each owner (m,), claim what is adversarial by more than the confidence; tell who has begun."""
    anywhere = {owner: AnyRow(successes.x[[owner]], successes.threat) for owner in owners.tolist()}
    has_begun = np.zeros(len(successes.x), np.bool_)
    for draw in range(NOISE_STARTS):
        left = owners[~has_begun[owners] & successes.cohort.live[owners]]
        if not len(left):
            break
        rows = np.concatenate([anywhere[owner].draw(rngs[owner], draw) for owner in left.tolist()])
        scores = yield from successes.ask(rows, left)
        through = successes.margin(scores, left) > confidence
        has_begun[left] = through
        if confidence:  # halving would not keep to it
            yield from successes.claim(left[through], rows[through])
        else:
            yield from successes.pull_back(left[through], rows[through])
    return has_begun[owners]
