"""AskCloud: the labels on many random points around one, described instead of drawn, and reduced block by block.

Cloud and reduction are data and a small accumulator, so that a cloud of any size passes through bounded memory, and
an endpoint and an in-process model see the same points.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Protocol, Self, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.caching import in_cache
from algorithms.mathematics.streams import BLOCK, Stream
from algorithms.seam.access import Access, Labels, Model, Rows
from algorithms.seam.cost import Cost
from algorithms.seam.question import BATCH_BYTES, Owners, Paid, Question
from algorithms.seam.questions.labels import Labeler
from algorithms.threads import side_by_side
from algorithms.threats.threat import Threat


class Directions(Protocol):
    """Directions are a law of random offsets: Gaussian noise, unit directions of a subspace, ..."""

    def draw(self, rng: np.random.Generator, out: NDArray[np.float32]) -> None:
        """Draw offsets (m, *shape) into `out`."""
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

    def size_of(self, number: int) -> int:
        """Count the points of a block: BLOCK, in the last one what is left."""
        return min(BLOCK, self.n - number * BLOCK)

    def draw(self, number: int, out: Rows) -> None:
        """Draw a block of its points into `out` (m, *shape). In any order, and side by side."""
        self.directions.draw(self.stream.at(self.counter + number), out)
        scale = np.float32(self.scale)
        for part in in_cache(out):
            part *= scale
            part += self.x
            self.threat.clip(part, self.x, out=part)

    def blocks(self) -> Iterator[Rows]:
        """Yield the n points block by block: (m, *shape) each."""
        for number in range(self.counters):
            block = np.empty((self.size_of(number), *self.x.shape), np.float32)
            self.draw(number, block)
            yield block


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

    def charged_to(self, owners: Owners) -> Self:
        return replace(self, owner=int(owners[self.owner]))

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskCloud[Kept]"]]) -> Sequence[Kept]:
        """Ask points of many clouds in shared batches; a cloud larger than a batch passes through in several.

        While the model answers one batch, the next are drawn.
        """
        labeler: Labeler = model.offers[Access.LABELS]
        reductions = [paid.question.reduction() for paid in asked]
        clouds = [paid.question.cloud for paid in asked]
        waiting: list[_Block] = []
        with side_by_side(BLOCK * clouds[0].x.size) as work:
            for block in work(_Block.drawn, _blocks(clouds)):
                waiting.append(block)
                if block.completes is not None:
                    _reduce(waiting, labeler.labels(block.completes), reductions)
                    waiting = []
        return reductions


@dataclass(frozen=True)
class _Block:
    """A block of a cloud has its place among the rows of a batch."""

    position: int  # of the cloud, among those asked about
    cloud: Cloud
    number: int
    rows: Rows
    completes: Rows | None  # the whole batch, if it is the last of it

    def drawn(self) -> "_Block":
        self.cloud.draw(self.number, self.rows)
        return self


def _blocks(clouds: Sequence[Cloud]) -> Iterator[_Block]:
    """Place all blocks of all clouds in batches, which are made when their first block is wanted."""
    for batch in _batches(clouds):
        sizes = [clouds[position].size_of(number) for position, number in batch]
        rows: Rows = np.empty((sum(sizes), *clouds[0].x.shape), np.float32)
        for (position, number), size, end in zip(batch, sizes, accumulate(sizes), strict=True):
            whole = rows if end == len(rows) else None
            yield _Block(position, clouds[position], number, rows[end - size : end], whole)


def _batches(clouds: Sequence[Cloud]) -> Iterator[list[tuple[int, int]]]:
    """Yield which blocks are asked at once: the positions of their clouds, and their numbers."""
    batch: list[tuple[int, int]] = []
    nbytes = 0
    for position, cloud in enumerate(clouds):
        for number in range(cloud.counters):
            batch.append((position, number))
            nbytes += cloud.size_of(number) * cloud.x.nbytes
            if nbytes >= BATCH_BYTES:
                yield batch
                batch, nbytes = [], 0
    if batch:
        yield batch


def _reduce(blocks: Sequence[_Block], labels: Labels, reductions: Sequence[Reduction]) -> None:
    """Feed each reduction the labels of its own blocks."""
    start = 0
    for block in blocks:
        reductions[block.position].feed(block.rows, labels[start : start + len(block.rows)])
        start += len(block.rows)
