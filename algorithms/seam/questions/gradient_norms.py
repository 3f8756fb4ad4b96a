"""AskGradientNorms: the largest gradient norms met in a ball, drawn and reduced where the model lives."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self, final

import numpy as np
from numpy.typing import NDArray

from algorithms.mathematics.geometry import Law
from algorithms.mathematics.streams import BLOCK, Stream
from algorithms.seam.access import Access, Model, Rows
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners, Paid, Question
from algorithms.threats.threat import Threat

Norms = NDArray[np.float64]  # (3, rivals)


@dataclass(frozen=True)
class Ball:
    """A ball stands for n random valid points of it, around x in the threat's norm, to be drawn where the model is."""

    x: Rows  # (*shape)
    radius: float
    threat: Threat
    law: Law
    n: int
    stream: Stream
    counter: int  # first of the stream's counters that this ball uses: one a block

    @property
    def counters(self) -> int:
        """Count the counters of the stream that it uses, and the blocks that its points come in."""
        return -(-self.n // BLOCK)

    def block(self, number: int) -> Rows:
        """Draw one block of its points, (m, *shape): m is BLOCK, in the last block what is left. In any order."""
        m = min(BLOCK, self.n - number * BLOCK)
        rng = self.stream.at(self.counter + number)
        offsets = self.threat.draw_in_ball(rng, m, self.x.shape, radius=self.radius, law=self.law)
        return np.asarray(self.threat.clip(self.x + offsets, self.x))

    def blocks(self) -> Iterator[Rows]:
        """Yield the n points block by block."""
        return map(self.block, range(self.counters))


@dataclass(frozen=True)
class Differences:
    """Differences are f_label - f_rival for some rivals, looked at all over a ball."""

    ball: Ball
    label: int
    rivals: NDArray[np.int64]  # (r,)


class GradientNorms(Protocol):
    """Whoever speaks `GradientNorms` offers `Access.GRADIENTS`."""

    def largest_gradient_norms(self, asked: Sequence[Differences]) -> Sequence[Norms]:
        """Find the largest dual norms met in each ball: max over its points z of ||grad(f_label - f_rival)(z)||_q.

        Returns (3, len(rivals)) for each: q dual to l1, l2, linf, that is max-norm, 2-norm, 1-norm. The Jacobian rows
        of one point serve every rival and every norm; only a few blocks of points are ever held. Which balls are asked
        about together changes no bit. A gradient that is not finite makes its entry NaN.
        """
        ...


@final
@dataclass(frozen=True)
class AskGradientNorms(Question[Norms]):
    """`AskGradientNorms` is answered by a ball's largest norms, (3, rivals). n points = n gradients, of one sample."""

    ball: Ball
    label: int
    rivals: NDArray[np.int64]
    owner: int = 0
    is_paid: bool = False  # the same points were charged for with other rivals: one Jacobian serves them all

    @property
    def differences(self) -> Differences:
        """Say what is looked at."""
        return Differences(self.ball, self.label, self.rivals)

    @property
    def nbytes(self) -> int:
        return self.ball.n * self.ball.x.nbytes

    def price(self) -> Iterable[tuple[int, Cost]]:
        return ((self.owner, Cost(gradients=0 if self.is_paid else self.ball.n)),)

    def charged_to(self, owners: Owners) -> Self:
        return replace(self, owner=int(owners[self.owner]))

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskGradientNorms"]]) -> Sequence[Norms]:
        normed: GradientNorms = model.offers[Access.GRADIENTS]
        return normed.largest_gradient_norms([paid.question.differences for paid in asked])
