"""Pause: a method that computes for long by itself lets the driver look around."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from algorithms.seam.access import Model
from algorithms.seam.question import Paid, Question


@final
@dataclass(frozen=True)
class Pause(Question[None]):
    """A pause is answered by None. Whoever computes for long without a question lets the driver look for a cancel."""

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["Pause"]]) -> Sequence[None]:
        del model
        return [None] * len(asked)
