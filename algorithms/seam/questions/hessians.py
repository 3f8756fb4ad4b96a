"""AskKinks and AskHessianProduct: whether a model's scores have second derivatives, and what these are along a way."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Access, Labels, Model, Rows
from algorithms.seam.cost import Cost
from algorithms.seam.question import Paid, Question
from algorithms.seam.questions.rows import RowQuestion, joined, sent, spread

Products = NDArray[np.float32]  # (m, *shape)


class TwiceDifferentiable(Protocol):
    """Whoever offers `Access.GRADIENTS` is `TwiceDifferentiable`, or says what stands in the way."""

    def kinks(self) -> tuple[str, ...]:
        """Name what is not shown to be twice differentiable, each once. Empty: the scores are, wherever defined."""
        ...

    def hessian_products(self, rows: Rows, directions: Rows, labels: Labels, rivals: Labels) -> Products:
        """Compute H v row by row, H the Hessian of f_label - f_rival there and v the row's direction (m, *shape)."""
        ...


@final
@dataclass(frozen=True)
class AskKinks(Question[tuple[str, ...]]):
    """`AskKinks` is answered by what a model has that is not smooth, as `TwiceDifferentiable.kinks`. It is free."""

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskKinks"]]) -> Sequence[tuple[str, ...]]:
        smooth: TwiceDifferentiable = model.offers[Access.GRADIENTS]
        return [smooth.kinks()] * len(asked)


@final
@dataclass(frozen=True)
class AskHessianProduct(RowQuestion[Products]):
    """`AskHessianProduct` is answered by H v (m, *shape), as `TwiceDifferentiable.hessian_products`.

    Only a model without kinks is asked. One row costs two gradients: a backward pass, and one through that.
    """

    directions: Rows = field(kw_only=True)
    labels: Labels = field(kw_only=True)  # (m,)
    rivals: Labels = field(kw_only=True)  # (m,)

    @property
    def nbytes(self) -> int:
        return 2 * self.rows.nbytes

    @staticmethod
    def unit(rows: int) -> Cost:
        return Cost(gradients=2 * rows)

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskHessianProduct"]]) -> Sequence[Products]:
        smooth: TwiceDifferentiable = model.offers[Access.GRADIENTS]
        blocks = [sent(paid) for paid in asked]
        rows = joined(blocks)
        products = rows
        if len(rows):  # else all owners have left
            ways, labels, rivals = (
                np.concatenate([whole if paid.kept is None else whole[paid.kept] for whole, paid in pairs])
                for pairs in (
                    [(paid.question.directions, paid) for paid in asked],
                    [(paid.question.labels, paid) for paid in asked],
                    [(paid.question.rivals, paid) for paid in asked],
                )
            )
            products = smooth.hessian_products(rows, ways, labels, rivals)
        parts = np.split(products, np.cumsum([len(block) for block in blocks])[:-1])
        return [spread(paid, part) for paid, part in zip(asked, parts, strict=True)]
