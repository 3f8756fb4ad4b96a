"""What a question is. Each kind of question is a file in `algorithms/seam/questions/`.

Such a file holds what is asked, the protocol that a model must speak to answer it, and how a beat of the driver asks
it: whom it is charged to, and one call for all questions of the kind that conversations put at the same time.
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Model
from algorithms.seam.cost import Cost

Owners = NDArray[np.int64]  # (m,) positions in the cohort
Answer = TypeVar("Answer")

BATCH_BYTES = 32 * 2**20  # rows held at once: plenty to fill any model's batch, little beside the model


class Question(Generic[Answer]):
    """A question is answered by an `Answer`: `labels = yield from AskLabels(rows)`."""

    def __iter__(self) -> Generator[Self, Answer, Answer]:
        """Put the question to the driver; return the answer."""
        return (yield self)

    @property
    def nbytes(self) -> int:
        """Count the bytes of the rows that it sends, or has drawn where the model lives."""
        return 0

    def price(self) -> Iterable[tuple[int, Cost]]:
        """List who is charged how much, members of the conversation by their positions. Nobody: it is free."""
        return ()

    def without(self, unpaid: Sequence[int]) -> "Paid[Self] | None":
        """Keep what is left to ask where these members cannot pay. None: nothing is."""
        del unpaid
        return None

    def charged_to(self, owners: Owners) -> Self:
        """Make it a question of a larger conversation, which knows the members (m,) of this one by `owners`."""
        del owners
        return self  # free

    @classmethod
    def ask(cls, model: Model, asked: "Sequence[Paid[Self]]") -> Sequence[Answer]:
        """Ask the model all questions of this kind that a beat holds; return their answers in order."""
        raise NotImplementedError


Q = TypeVar("Q", bound=Question[Any], covariant=True)


@dataclass(frozen=True)
class Paid(Generic[Q]):
    """A paid question has been charged for."""

    question: Q
    kept: NDArray[np.int64] | None = None  # which of its rows are sent; None: all of them
