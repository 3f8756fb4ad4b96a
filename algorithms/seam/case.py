"""What a method is handed, and what it hands back: a conversation.

    labels = yield from AskLabels(rows)                 # one row = one query
    scores, slopes = yield from AskGradient(rows, cotangent=slope)  # one row = one gradient
    yield UpperBound(x_adv)                             # the driver measures, asks afresh, and only then believes

The driver (`algorithms/driver/running.py`) sends the rows of every live conversation together, charges each sample its
own rows and never passes a budget. A conversation is therefore free of batching, counting, progress and cancel.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.streams import Stream
from algorithms.seam.access import Labels, Rows, Scores
from algorithms.seam.claims import Claim
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.seam.question import Question

Found = TypeVar("Found")

Step = Generator[Question[Any] | Claim, Any, Found]
"""A part of a conversation, which returns what it found."""

Conversation = Step[None]


@dataclass(frozen=True)
class Case:
    """A case is one sample as a method meets it: the model answers `label`, and its clean row is already paid for."""

    x: Rows  # (*shape)
    label: int
    target: int | None  # None: untargeted
    scores: Scores | None  # (classes,) of the clean row; None where the model gives labels only
    classes: int
    stream: Stream
    pool: Rows | None = None  # (p, *shape) the first rows of the upload, the same for every chunk of a job
    basis: Rows | None = None  # (r, d) orthonormal rows, made once for the job from its auxiliary samples
    hint: Hint = NOTHING_KNOWN


@dataclass(frozen=True)
class Cohort:
    """A cohort is all samples of a chunk, for methods whose natural step is one big array. Leading axis: the sample.

    `live` belongs to the driver: it is cleared at a sample whose budget is spent. Such a sample's rows are no longer
    sent and are answered by zeros, so a method may go on asking for it, or leave it out and go faster.
    """

    x: Rows  # (n, *shape)
    labels: Labels  # (n,)
    targets: Labels | None  # (n,); None: untargeted
    scores: Scores | None  # (n, classes) of the clean rows; None where the model gives labels only
    classes: int
    streams: tuple[Stream, ...]
    live: NDArray[np.bool_]  # (n,)
    hints: tuple[Hint, ...] = ()  # n of them, or none

    @property
    def reached(self) -> NDArray[np.float64]:
        """Find the distances (n,) at which hints say that the samples break; inf where none does."""
        return np.array([hint.reached for hint in self.hints] or [np.inf] * len(self.labels))

    @property
    def proven(self) -> NDArray[np.float64]:
        """Find the radii (n,) within which hints say that nothing breaks the samples; 0 where none does."""
        return np.array([hint.proven for hint in self.hints] or [0.0] * len(self.labels))
