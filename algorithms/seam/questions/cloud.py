"""AskCloud: the labels on many random points around one, described instead of drawn, and reduced block by block.

Cloud and reduction are data and a small accumulator, so that a cloud of any size passes through bounded memory, and
an endpoint and an in-process model see the same points.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Access, Labels, Model, Rows
from algorithms.seam.cost import Cost
from algorithms.seam.question import BATCH_BYTES, Paid, Question
from algorithms.seam.questions.labels import Labeler
from algorithms.seam.streams import BLOCK, Stream
from algorithms.seam.threat import Threat


class Directions(Protocol):
    """Directions are a law of random offsets: Gaussian noise, unit directions of a subspace, ..."""

    def draw(self, rng: np.random.Generator, m: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Draw offsets (m, *shape)."""
        ...


@dataclass(frozen=True)
class Cloud:
    """A cloud is n points x + scale * offset, made valid."""

    x: Rows  # (*shape)
    scale: float
    directions: Directions
    n: int
    threat: Threat
    stream: Stream
    counter: int  # first of the stream's counters that this cloud uses: one a block

    @property
    def counters(self) -> int:
        """Count the counters of the stream that it uses."""
        return -(-self.n // BLOCK)

    def blocks(self) -> Iterator[Rows]:
        """Yield the n points in blocks of at most BLOCK rows: (m, *shape) each."""
        scale = np.float32(self.scale)
        for number in range(self.counters):
            m = min(BLOCK, self.n - number * BLOCK)
            offsets = self.directions.draw(self.stream.at(self.counter + number), m, self.x.shape)
            yield self.threat.clip(self.x + scale * offsets, self.x)


class Reduction(Protocol):
    """A reduction keeps what is wanted of a cloud's labels, fed block by block in order."""

    def feed(self, points: Rows, labels: Labels) -> None: ...


Kept = TypeVar("Kept", bound=Reduction)


@final
@dataclass(frozen=True)
class AskCloud(Question[Kept]):
    """`AskCloud` is answered by the reduction, fed with all points' labels. n points = n queries, of one sample."""

    cloud: Cloud
    reduction: Callable[[], Kept]
    owner: int = 0

    @property
    def nbytes(self) -> int:
        return self.cloud.n * self.cloud.x.nbytes

    def price(self) -> Iterable[tuple[int, Cost]]:
        return ((self.owner, Cost(queries=self.cloud.n)),)

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskCloud[Kept]"]]) -> Sequence[Kept]:
        """Ask points of many clouds in shared batches; a cloud larger than a batch passes through in several."""
        labeler: Labeler = model.offers[Access.LABELS]
        reductions = [paid.question.reduction() for paid in asked]
        waiting: list[tuple[Kept, Rows]] = []
        nbytes = 0
        for paid, reduction in zip(asked, reductions, strict=True):
            for block in paid.question.cloud.blocks():
                waiting.append((reduction, block))
                nbytes += block.nbytes
                if nbytes >= BATCH_BYTES:
                    _reduce(waiting, labeler)
                    waiting, nbytes = [], 0
        _reduce(waiting, labeler)
        return reductions


def _reduce(waiting: Sequence[tuple[Reduction, Rows]], labeler: Labeler) -> None:
    """Ask the labels of all blocks at once, and feed each reduction its own."""
    if not waiting:
        return
    labels = labeler.labels(np.concatenate([rows for _, rows in waiting]))
    start = 0
    for reduction, rows in waiting:
        reduction.feed(rows, labels[start : start + len(rows)])
        start += len(rows)
