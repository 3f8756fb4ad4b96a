"""What a few samples of a job have shown before the others are begun: ways to the boundary, and what moves earned.

A way is the change that led from a sample to its adversarial point. On other samples of the same class, and towards the
same target, it is a direction to begin in.
"""

import math

import numpy as np

from algorithms.artifacts.wish import Declaration, Declared

WAYS, CLASSES, EARNED, SHARE = "ways", "classes", "earned", "share"
MOST_MOVES = 8


def declared(shape: tuple[int, ...], samples: int) -> Declaration:
    """Declare what so many samples leave to the others.

    Ways (k, *shape) with their classes (k, 2), the sample's own and the one that was reached; what moves earned there
    (k, MOST_MOVES), 0 beyond the last move; and how many queries of all of that each sample of the job is charged.
    """
    return {
        WAYS: Declared((samples, *shape), least=0),
        CLASSES: Declared((samples, 2), least=0, dtype=np.int64),
        EARNED: Declared((samples, MOST_MOVES), least=0),
        SHARE: Declared((1,), dtype=np.int64),
    }


def share(queries: int, samples: int) -> int:
    """Count what each of so many samples is charged of queries that were asked for all of them, rounded up."""
    return math.ceil(queries / samples)
