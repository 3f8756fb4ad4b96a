"""Rows that a model was asked about, with what it answered: what a substitute is trained on."""

from dataclasses import dataclass

import numpy as np

from algorithms.artifacts.wish import Declaration, Declared

ROWS, LABELS, SCORES, HELD_OUT = "x", "labels", "scores", "held_out"


@dataclass(frozen=True)
class AnsweredRows:
    """Auxiliary samples are wanted to begin with: to learn from, and to hold out. Then more rows are made.

    `rounds`: how many rows are asked about before each training, at most; the first ones are the auxiliary samples.
    """

    seed_rows: int
    held_out: int
    rounds: tuple[int, ...]
    kind: str = "answers"
    purpose: str = "to learn from"
    is_trained: bool = True

    @property
    def most(self) -> int:
        """Counts the rows that are asked about in all, at most."""
        return sum(self.rounds)

    def misfit(self, shape: tuple[int, ...], count: int) -> str | None:
        """Says that there are too few samples."""
        del shape
        if count < self.rounds[0]:
            return (
                f"{self.rounds[0]} auxiliary samples are asked for (seed_rows {self.seed_rows} and held_out "
                f"{self.held_out}), and {count} are there; upload more, or ask for fewer."
            )
        return None

    def arrays(self, shape: tuple[int, ...], count: int) -> Declaration:
        """Declares nothing: the method is handed hints."""
        del shape, count
        return {}

    def between(self, shape: tuple[int, ...], count: int) -> Declaration:
        """Declares nothing: what is left to the next unit depends on the model, see `declared`."""
        del shape, count
        return {}

    def declared(self, shape: tuple[int, ...], classes: int) -> Declaration:
        """Declares rows, how many of the first are held out, and answers to some; `classes` 0: labels alone."""
        return {
            ROWS: Declared((self.most, *shape), least=1),
            LABELS: Declared((self.most,), least=0, dtype=np.int64),
            SCORES: Declared((self.most, classes), least=0),
            HELD_OUT: Declared((1,), dtype=np.int64),
        }
