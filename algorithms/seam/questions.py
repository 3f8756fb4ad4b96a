"""A method is a conversation: it yields questions and claims, and is sent the answers.

    scores = yield Ask(rows)                            # (m, classes); one row = one query
    scores, slopes = yield AskGradient(rows, cotangent) # one row = one gradient
    maxima = yield AskSteepest(ball, label, rivals)     # points described, drawn and reduced where the model lives
    points = yield AskNeighbors()                       # a nearest-neighbor model's own arrays
    margins = yield AskMargins(region, labels, rivals, relaxation)  # (m, r) sound lower bounds
    yield UpperBound(x_adv)                             # the driver recomputes, re-queries, and only then believes

The driver (`algorithms/driver/running.py`) sends the rows of every live conversation together, charges each sample its
own rows and never passes a budget. A conversation is therefore free of batching, counting, progress and cancel.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Access, Cotangent, Labels, Rows, Scores
from algorithms.seam.claims import Claim
from algorithms.seam.clouds import BLOCK, Cloud, Reduction
from algorithms.seam.streams import Stream
from algorithms.seam.threat import Box

Owners = NDArray[np.int64]


@dataclass(frozen=True)
class Ask:
    """Scores (m, classes) of rows, or only their labels (m,)."""

    rows: Rows
    owners: Owners | None = None  # (m,) position in the cohort each row is charged to; None: all to sample 0
    want: Literal[Access.LABELS, Access.SCORES] = Access.SCORES


@dataclass(frozen=True)
class AskGradient:
    """Answered by (scores (m, classes), gradients (m, *shape)) of the loss whose derivative is `cotangent`.

    `cotangent(scores, positions)` is called slice by slice; `positions` index `rows`. See `algorithms.seam.access`.
    """

    rows: Rows
    cotangent: Cotangent
    owners: Owners | None = None


@dataclass(frozen=True)
class Ball:
    """n random points of a norm ball around x, clipped to the box: described here, drawn where the model lives."""

    x: Rows  # (*shape)
    radius: float
    norm: Norm
    law: Literal["radial", "uniform"]
    n: int
    box: Box
    stream: Stream
    counter: int  # first of the stream's counters that this ball uses: one a block

    def blocks(self) -> Iterator[Rows]:
        """The n points in blocks of at most BLOCK rows: (m, *shape) each."""
        from algorithms.mathematics.geometry import sample_ball

        for number, start in enumerate(range(0, self.n, BLOCK)):
            m = min(BLOCK, self.n - start)
            rng = self.stream.at(self.counter + number)
            offsets = sample_ball(rng, m, self.x.shape, norm=self.norm, radius=self.radius, law=self.law)
            yield np.clip(self.x + offsets, self.box.lower, self.box.upper, dtype=np.float32)


@dataclass(frozen=True)
class AskSteepest:
    """Answered by (3, rivals): see `Model.steepest`. n points = n gradients, charged to one sample."""

    ball: Ball
    label: int
    rivals: NDArray[np.int64]
    owner: int = 0
    is_paid: bool = False  # the same points were charged for with other rivals: one Jacobian serves them all


Relaxation = Literal["intervals", "crown"]


@dataclass(frozen=True)
class Region:
    """One norm ball a row, each cut to the box."""

    rows: Rows  # (m, *shape), inside the box
    radii: NDArray[np.float64]  # (m,)
    norm: Norm
    box: Box


@dataclass(frozen=True)
class AskMargins:
    """Answered by (m, r) sound lower bounds of margins over a region: see `Model.margins`.

    No point is asked and no gradient taken, so nobody is charged: what a bound costs is time.
    """

    region: Region
    labels: Labels  # (m,)
    rivals: NDArray[np.int64]  # (m, r)
    relaxation: Relaxation


@dataclass(frozen=True)
class AskCloud:
    """Answered by the reduction of the labels on a cloud's points. n points = n queries, charged to one sample."""

    cloud: Cloud
    reduction: Callable[[], Reduction]
    owner: int = 0


@dataclass(frozen=True)
class AskNeighbors:
    """Answered by the model's own `algorithms.seam.neighbors.Neighbors`. Costs nothing: the model computes nothing."""


@dataclass(frozen=True)
class Pause:
    """Answered by None. Whoever computes for long without a question lets the driver look for a cancel."""


Question = Ask | AskGradient | AskSteepest | AskNeighbors | Pause | AskMargins | AskCloud
Answer = Any  # what the question's docstring says
Conversation = Generator[Question | Claim, Answer, None]


@dataclass(frozen=True)
class Case:
    """One sample as a method meets it: classified as `label` by the model, its clean row already paid for."""

    x: Rows  # (*shape)
    label: int
    target: int | None  # None: untargeted
    scores: Scores | None  # (classes,) of the clean row; None where the model gives labels only
    classes: int
    stream: Stream
    pool: Rows | None = None  # (p, *shape) the first rows of the upload, the same for every chunk of a job
    basis: Rows | None = None  # (r, d) orthonormal rows, made once for the job from its auxiliary samples


@dataclass(frozen=True)
class Cohort:
    """All samples of a chunk, for methods whose natural step is one big array. Leading axis: the sample.

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
