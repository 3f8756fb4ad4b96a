"""What a method is handed, and what it hands back: a conversation.

    labels = yield from AskLabels(rows)                 # one row = one query
    scores, slopes = yield from AskGradient(rows, cotangent=slope)  # one row = one gradient
    yield UpperBound(x_adv)                             # the driver measures, asks afresh, and only then believes

The driver (`algorithms/driver/running.py`) sends the rows of every live conversation together, charges each sample its
own rows and never passes a budget. A conversation is therefore free of batching, counting, progress and cancel.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from algorithms.artifacts.wish import Arrays
from algorithms.mathematics.arrays import Mask, Numbers
from algorithms.mathematics.streams import Stream
from algorithms.seam.access import Labels, Rows, Scores
from algorithms.seam.claims import Claim
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.seam.question import Question

Found = TypeVar("Found")
Number = TypeVar("Number", bound=np.generic)

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
    are_probabilities: bool = False  # the scores, which else are logits
    prepared: Arrays = field(default_factory=dict)  # made once for the job from its auxiliary samples
    hint: Hint = NOTHING_KNOWN


@dataclass(frozen=True)
class Cohort:
    """A cohort is the cases of a chunk, for methods whose natural step is one big array. Leading axis: the sample.

    `live` belongs to the driver: it is cleared at a sample whose budget is spent. Such a sample's rows are no longer
    sent and are answered by zeros, so a method may go on asking for it, or leave it out and go faster.
    """

    cases: tuple[Case, ...]  # n
    live: Mask  # (n,)

    @cached_property
    def x(self) -> Rows:
        """Gather the samples, (n, *shape)."""
        return _stacked([case.x for case in self.cases])

    @cached_property
    def labels(self) -> Labels:
        """List the labels, (n,)."""
        return np.array([case.label for case in self.cases], np.int64)

    @cached_property
    def targets(self) -> Labels | None:
        """List the targets, (n,); None: untargeted."""
        targets = [case.target for case in self.cases]
        return None if targets[0] is None else np.array(targets, np.int64)

    @cached_property
    def scores(self) -> Scores | None:
        """Gather the scores of the clean rows, (n, classes); None where the model gives labels only."""
        scores = [case.scores for case in self.cases if case.scores is not None]
        return _stacked(scores) if scores else None

    @property
    def classes(self) -> int:
        return self.cases[0].classes

    @property
    def are_probabilities(self) -> bool:
        """Tell whether scores are probabilities, which else are logits."""
        return self.cases[0].are_probabilities

    @cached_property
    def streams(self) -> tuple[Stream, ...]:
        return tuple(case.stream for case in self.cases)

    @property
    def reached(self) -> Numbers:
        """Find the distances (n,) at which hints say that the samples break; inf where none does."""
        return np.array([case.hint.reached for case in self.cases])

    @property
    def proven(self) -> Numbers:
        """Find the radii (n,) within which hints say that nothing breaks the samples; 0 where none does."""
        return np.array([case.hint.proven for case in self.cases])


def _stacked(rows: Sequence[NDArray[Number]]) -> NDArray[Number]:
    """Join arrays along a new axis, of the library that they are from."""
    stacked: NDArray[Number] = array_namespace(rows[0]).stack(rows)
    return stacked
