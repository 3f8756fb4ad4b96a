"""How the parts of a method are held: in the place of each stands the conversation of the method it names."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from algorithms import registry
from algorithms.method import Params
from algorithms.seam.case import Case, Cohort, Conversation, Step
from algorithms.seam.claims import Details, Note, UpperBound
from algorithms.seam.question import Question
from algorithms.seam.questions.part import Part, PartEnded
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


def _held(part: Part, whole: Cohort, threat: Threat) -> Step[PartEnded]:
    """A part's conversation, its samples known to the whole cohort by other positions."""
    method, owners = registry.version(part.method), part.owners
    assert method.cohort, f"{part.method} takes samples one by one"
    some = Cohort(tuple(_keyed(whole.cases[i], part.name) for i in owners), live=whole.live[owners])
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
            answer = yield said.charged_to(owners)
            continue
        answer, member = None, said.owner
        if isinstance(said, Note):
            notes[member].update(said.details)
            continue
        if isinstance(said, UpperBound):
            away = threat.distance(said.x_adv, some.cases[member].x)
            broken[member] |= threat.epsilon is None or away <= threat.epsilon
        yield replace(said, owner=int(owners[member]))


def _keyed(case: Case, name: str) -> Case:
    """The case, whose random numbers are the part's own."""
    return replace(case, stream=replace(case.stream, method=f"{case.stream.method}/{name}"))
