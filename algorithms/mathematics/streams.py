"""Random streams: the same draw for the same (job seed, sample, method, counter), wherever it is drawn."""

import zlib
from dataclasses import dataclass

import numpy as np

BLOCK = 64  # points drawn at once: bounds memory, and fixes the draw whatever the batch size of the model


@dataclass(frozen=True)
class Stream:
    """A stream is one sample's source of randomness in one method, independent of every other sample's.

    `index` is the sample's row in the upload, so the numbers do not depend on how a job is cut.
    """

    seed: int
    index: int
    method: str

    def at(self, counter: int) -> np.random.Generator:
        """Make a fresh generator for draw number `counter`: Philox keyed by (seed, index, method, counter)."""
        key = np.random.SeedSequence([self.seed, self.index, zlib.crc32(self.method.encode()), counter])
        return np.random.Generator(np.random.Philox(key))
