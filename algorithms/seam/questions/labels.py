"""AskLabels: which class a model answers for each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np

from algorithms.seam.access import Access, Labels, Model, Rows
from algorithms.seam.question import Paid
from algorithms.seam.questions.rows import RowQuestion, in_one_call


class Labeler(Protocol):
    """A labeler offers `Access.LABELS`."""

    def labels(self, rows: Rows) -> Labels:
        """Answer labels (m,) of rows (m, *shape)."""
        ...


@final
@dataclass(frozen=True)
class AskLabels(RowQuestion[Labels]):
    """`AskLabels` is answered by the labels (m,) of rows. One row costs one query."""

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskLabels"]]) -> Sequence[Labels]:
        labeler: Labeler = model.offers[Access.LABELS]
        return in_one_call(asked, labeler.labels, np.zeros(0, np.int64))
