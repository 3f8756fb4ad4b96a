"""How the parts of a method are held: in the place of each stands the conversation of the method it names."""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np

from algorithms import registry
from algorithms.method import Params
from algorithms.seam.case import Cohort, Conversation
from algorithms.seam.claims import Claim, Details, Note, UpperBound
from algorithms.seam.part import Part, PartEnded
from algorithms.seam.question import Owners, Question
from algorithms.seam.rows import RowQuestion
from algorithms.threats.threat import Threat


def with_parts(conversation: Conversation, cohort: Cohort, threat: Threat) -> Conversation:
    """Pass on what a cohort's conversation says; hold the conversation of each part that it asks for."""
    answer: Any = None
    try:
        while True:
            said = conversation.send(answer)
            answer = (yield from _held(said, cohort, threat)) if isinstance(said, Part) else (yield said)
    except StopIteration:
        return
    finally:
        conversation.close()


def _held(part: Part, whole: Cohort, threat: Threat) -> Generator[Question[Any] | Claim, Any, PartEnded]:
    """A part's conversation, its samples known to the whole cohort by other positions."""
    method, owners = registry.version(part.method), part.owners
    assert method.cohort, f"{part.method} takes samples one by one"
    some = _some(whole, part)
    converse: Callable[[Any, Threat, Params], Conversation] = method.run
    conversation = converse(some, threat, method.params.model_validate({**part.params, "name": method.name}))
    broken, notes, answer = np.zeros(len(owners), np.bool_), [Details() for _ in owners], None
    while True:
        some.live[:] = whole.live[owners]
        try:
            said = conversation.send(answer)
        except StopIteration:
            return PartEnded(broken, tuple(notes))
        if isinstance(said, Question):
            answer = yield _asked_for(said, owners)
            continue
        answer, member = None, said.owner
        if isinstance(said, Note):
            notes[member].update(said.details)
            continue
        if isinstance(said, UpperBound):
            away = threat.distance(said.x_adv, some.x[member])
            broken[member] |= threat.epsilon is None or away <= threat.epsilon
        yield replace(said, owner=int(owners[member]))


def _some(whole: Cohort, part: Part) -> Cohort:
    owners = part.owners
    return replace(
        whole,
        x=whole.x[owners],
        labels=whole.labels[owners],
        targets=None if whole.targets is None else whole.targets[owners],
        scores=None if whole.scores is None else whole.scores[owners],
        streams=tuple(replace(whole.streams[i], method=f"{whole.streams[i].method}/{part.name}") for i in owners),
        live=whole.live[owners],
        hints=tuple(whole.hints[i] for i in owners) if whole.hints else (),
    )


def _asked_for(question: Question[Any], owners: Owners) -> Question[Any]:
    """The question, charged to the samples by their positions in the whole cohort."""
    if not isinstance(question, RowQuestion):
        return question  # free: a pause
    asked = np.zeros(len(question.rows), np.int64) if question.owners is None else question.owners
    return replace(question, owners=owners[asked])
