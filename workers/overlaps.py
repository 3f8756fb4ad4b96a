"""Whether samples under audit are among those that a method learned from: its numbers are then about those it knows."""

from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from jobs.spec import JobSpec
from models.samples import load_rows, rows_within

BLOCK_BYTES = 64 << 20  # of rows held at once
OVERLAP = "auxiliary_overlap"  # a warning


def warnings(spec: JobSpec, samples: bytes, auxiliary: NDArray[np.float32]) -> tuple[str, ...]:
    """Tells by a code that some selected row of the upload is one of the auxiliary rows (n, *shape)."""
    known = {_digest(row) for row in auxiliary}
    size = rows_within(BLOCK_BYTES, len(spec.indices), spec.shape)
    for start in range(0, len(spec.indices), size):
        rows, _ = load_rows(samples, spec.indices[start : start + size])
        if any(_digest(row) in known for row in rows):
            return (OVERLAP,)
    return ()


def _digest(row: NDArray[np.float32]) -> bytes:
    return sha256((row + np.float32(0)).tobytes()).digest()  # -0 is 0
