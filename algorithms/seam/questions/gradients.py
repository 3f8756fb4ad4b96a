"""AskGradient: how a loss changes with each row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, final

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from algorithms.seam.access import Access, Model, Rows, Scores
from algorithms.seam.cost import Cost
from algorithms.seam.question import Paid
from algorithms.seam.questions.rows import RowQuestion, joined, sent, spread

Gradients = NDArray[np.float32]  # (m, *shape)

Cotangent = Callable[[Any, NDArray[np.int64]], Any]
"""The derivative of a loss L = sum of one term a row: (scores (s, classes), positions (s,)) -> dL/dscores (s, classes).

`positions` says, in rising order, which of the asked rows these scores belong to, because a model works through a
question in slices of its own size. Answers in the scores' own array namespace (numpy or torch), row by row.
"""


class Differentiable(Protocol):
    """Whoever is `Differentiable` offers `Access.GRADIENTS`."""

    def gradients(self, rows: Rows, cotangent: Cotangent) -> tuple[Scores, Gradients]:
        """Return scores, and the gradient of a loss L by the rows: one forward and one backward pass a row.

        Calls `cotangent(scores, positions)` once for each slice it works in, in any order and from any thread.
        """
        ...


@dataclass(frozen=True)
class GradientQuestion(RowQuestion[tuple[Scores, Gradients]]):
    """A gradient question is answered by scores (m, classes) and gradients (m, *shape) of a loss, by its derivative.

    `cotangent(scores, positions)` is called slice by slice; `positions` index `rows`. One row costs one gradient.
    """

    cotangent: Cotangent = field(kw_only=True)

    @staticmethod
    def unit(rows: int) -> Cost:
        return Cost(gradients=rows)

    @staticmethod
    def who(model: Model) -> Differentiable:
        """Name who answers of a model."""
        raise NotImplementedError

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["GradientQuestion"]]) -> Sequence[tuple[Scores, Gradients]]:
        """Ask all questions' rows in the model's slices; each question's loss sees the scores of its own rows only."""
        blocks = [sent(paid) for paid in asked]
        ends = np.cumsum([len(block) for block in blocks])
        starts = ends - [len(block) for block in blocks]

        def cotangent(scores: Any, positions: NDArray[np.int64]) -> Any:
            first, last = np.searchsorted(ends, positions[[0, -1]], side="right")
            parts = []
            for number in range(first, last + 1):
                low, high = np.searchsorted(positions, [starts[number], ends[number]])
                if low < high:
                    parts.append(_own(asked[number], scores[low:high], positions[low:high] - starts[number]))
            return parts[0] if len(parts) == 1 else array_namespace(scores).concat(parts)

        rows = joined(blocks)
        scores: Scores = np.zeros((0, model.classes), np.float32)
        gradients = rows
        if len(rows):  # else all owners have left
            scores, gradients = cls.who(model).gradients(rows, cotangent)
        return [
            (spread(paid, scores[start:end]), spread(paid, gradients[start:end]))
            for paid, start, end in zip(asked, starts.tolist(), ends.tolist(), strict=True)
        ]


@final
@dataclass(frozen=True)
class AskGradient(GradientQuestion):
    """`AskGradient` is answered by the model's true gradients: 0 all over a step of a staircase."""

    @staticmethod
    def who(model: Model) -> Differentiable:
        found: Differentiable = model.offers[Access.GRADIENTS]
        return found


def _own(paid: Paid[GradientQuestion], scores: Any, positions: NDArray[np.int64]) -> Any:
    """A question's own derivative; `positions` among the rows sent become positions in the question."""
    return paid.question.cotangent(scores, positions if paid.kept is None else paid.kept[positions])
