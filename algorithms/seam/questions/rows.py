"""What questions about rows share: a price for each row, rows left out that nobody can pay for, one call for all."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Rows
from algorithms.seam.cost import Cost
from algorithms.seam.question import Answer, Owners, Paid, Question

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class RowQuestion(Question[Answer]):
    """A row question is about rows (m, *shape), and answered row by row: by zeros where a row is not sent."""

    rows: Rows
    owners: Owners | None = None  # (m,) whom each row is charged to; None: all to member 0

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes

    @staticmethod
    def unit(rows: int) -> Cost:
        """Tell what so many rows cost."""
        return Cost(queries=rows)

    def price(self) -> Iterable[tuple[int, Cost]]:
        if self.owners is None:
            return ((0, self.unit(len(self.rows))),)
        counts = np.bincount(self.owners)
        members = np.flatnonzero(counts)
        rows = counts[members].tolist()
        costs = {each: self.unit(each) for each in set(rows)}  # most members of a cohort ask as many rows
        return [(member, costs[each]) for member, each in zip(members.tolist(), rows, strict=True)]

    def without(self, unpaid: Sequence[int]) -> Paid[Self]:
        return Paid(self, np.flatnonzero(~np.isin(self._of_each(), unpaid)))

    def charged_to(self, owners: Owners) -> Self:
        return replace(self, owners=owners[self._of_each()])

    def _of_each(self) -> Owners:
        return np.zeros(len(self.rows), np.int64) if self.owners is None else self.owners


def sent(paid: Paid[RowQuestion[Any]]) -> Rows:
    """Pick the rows that are paid for."""
    return paid.question.rows if paid.kept is None else paid.question.rows[paid.kept]


def spread(paid: Paid[RowQuestion[Any]], answer: NDArray[Number]) -> NDArray[Number]:
    """Make answers of all rows of the question from those of the rows sent: 0 for the others."""
    if paid.kept is None:
        return answer
    full = np.zeros((len(paid.question.rows), *answer.shape[1:]), answer.dtype)
    full[paid.kept] = answer
    return full


def joined(blocks: Sequence[Rows]) -> Rows:
    """Join blocks, one after the other."""
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)


def in_one_call(
    asked: Sequence[Paid[RowQuestion[Any]]], answer: Callable[[Rows], NDArray[Number]], nothing: NDArray[Number]
) -> list[NDArray[Number]]:
    """Send the rows of all questions together; return each one's part of what `answer` says of them.

    `nothing` answers no rows: all owners may have left.
    """
    blocks = [sent(paid) for paid in asked]
    rows = joined(blocks)
    answers, start, found = answer(rows) if len(rows) else nothing, 0, []
    for paid, block in zip(asked, blocks, strict=True):
        found.append(spread(paid, answers[start : start + len(block)]))
        start += len(block)
    return found
