"""AskScores: how strongly a model speaks for each class, for each row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np

from algorithms.seam.access import Access, Model, Rows, Scores
from algorithms.seam.question import Paid
from algorithms.seam.questions.rows import RowQuestion, in_one_call


class Scorer(Protocol):
    """A scorer offers `Access.SCORES`."""

    def scores(self, rows: Rows) -> Scores:
        """Answer scores (m, classes) of rows (m, *shape)."""
        ...


@final
@dataclass(frozen=True)
class AskScores(RowQuestion[Scores]):
    """`AskScores` is answered by the scores (m, classes) of rows. One row costs one query."""

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskScores"]]) -> Sequence[Scores]:
        scorer: Scorer = model.offers[Access.SCORES]
        return in_one_call(asked, scorer.scores, np.zeros((0, model.classes), np.float32))
