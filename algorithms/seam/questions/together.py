"""Together: questions that several members of a cohort put in the same beat, each of one member alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from algorithms.mathematics.arrays import Mask
from algorithms.seam.access import Model
from algorithms.seam.case import Conversation, Step
from algorithms.seam.claims import Claim
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners, Paid, Question


@final
@dataclass(frozen=True)
class Together(Question[Sequence[Any]]):
    """A `Together` is answered by the answers of its parts, in order: None where a member cannot pay for its own."""

    parts: tuple[Question[Any], ...]  # m, as a conversation about one sample puts them
    owners: Owners  # (m,) whose each is, no member twice

    @property
    def nbytes(self) -> int:
        return sum(part.nbytes for part in self.parts)

    def price(self) -> Iterable[tuple[int, Cost]]:
        for owner, part in zip(self.owners.tolist(), self.parts, strict=True):
            for _, cost in part.price():
                yield owner, cost

    def without(self, unpaid: Sequence[int]) -> "Paid[Together]":
        return Paid(self, np.flatnonzero(~np.isin(self.owners, unpaid)))

    def charged_to(self, owners: Owners) -> "Together":
        return replace(self, owners=owners[self.owners])

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["Together"]]) -> Sequence[Sequence[Any]]:
        answers: list[list[Any]] = [[None] * len(paid.question.parts) for paid in asked]
        by_kind: dict[type[Question[Any]], list[tuple[int, int]]] = {}
        for i, paid in enumerate(asked):
            for j in range(len(paid.question.parts)) if paid.kept is None else paid.kept.tolist():
                by_kind.setdefault(type(paid.question.parts[j]), []).append((i, j))
        for kind, places in by_kind.items():
            found = kind.ask(model, [Paid(asked[i].question.parts[j]) for i, j in places])
            for (i, j), answer in zip(places, found, strict=True):
                answers[i][j] = answer
        return answers


def in_step(conversations: Mapping[int, Conversation], live: Mask) -> Step[None]:
    """Hold conversations about one sample each side by side, `{member: conversation}`: a question of each in a beat.

    A member that leaves, as `live` tells, ends its conversation.
    """
    going: dict[int, tuple[Conversation, Any]] = {owner: (talk, None) for owner, talk in conversations.items()}
    while going:
        asked: dict[int, Question[Any]] = {}
        for owner, (talk, answer) in going.items():
            if live[owner]:
                question = yield from _next_question(talk.send, answer, owner)
                if question is not None:
                    asked[owner] = question
            else:
                talk.close()
        if not asked:
            return
        answers = yield from Together(tuple(asked.values()), np.array(list(asked), np.int64))
        going = {owner: (going[owner][0], answer) for owner, answer in zip(asked, answers, strict=True)}


def _next_question(send: Callable[[Any], Question[Any] | Claim], answer: Any, owner: int) -> Step[Question[Any] | None]:
    """Pass on what one conversation claims, until it asks; None: it is over."""
    try:
        said = send(answer)
        while isinstance(said, Claim):
            yield replace(said, owner=owner)
            said = send(None)
    except StopIteration:
        return None
    return said
