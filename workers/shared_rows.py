"""What every chunk of a job is given alike, whoever computes it: a pool of samples, and what `prepare` made."""

import numpy as np
from numpy.typing import NDArray

from algorithms.artifacts import warm_up
from algorithms.artifacts.wish import Arrays
from jobs import auxiliary as auxiliaries
from jobs.spec import JobSpec
from models.cards import SamplesCard
from models.named_arrays import unpacked
from models.samples import load_rows, rows_within

POOL_ROWS = 1000  # to try more starts costs more queries than most budgets have
POOL_BYTES = 64 << 20  # 111 images of 224 x 224 x 3: a runner keeps them as long as it has the job


def pool(spec: JobSpec, samples: bytes | None) -> NDArray[np.float32] | None:
    """Returns the first rows (p, *shape) of the job's own upload, None where its method wants none."""
    if not spec.method.wants_pool or spec.samples is None or samples is None:
        return None
    count = min(POOL_ROWS, rows_within(POOL_BYTES, spec.samples.count, spec.samples.shape))
    return load_rows(samples, range(count))[0]


def auxiliary(card: SamplesCard, samples: bytes) -> NDArray[np.float32]:
    """Returns the first rows (n, *shape) of the auxiliary upload: what `prepare` works on."""
    return load_rows(samples, range(auxiliaries.used(card)))[0]


def prepared(spec: JobSpec, artifact: bytes) -> Arrays:
    """Returns what was made of the auxiliary upload, or of a few samples of the job, as it was declared.

    Raises NotAsDeclared.
    """
    if spec.warm_up:
        return unpacked(artifact, warm_up.declared(spec.shape, len(spec.warm_up)))
    card, wanted = spec.auxiliary, spec.wanted
    assert card is not None  # only such a job has made anything
    assert wanted is not None
    return unpacked(artifact, wanted.arrays(card.shape, auxiliaries.used(card)))
