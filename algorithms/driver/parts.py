"""How the parts of a method are held: in the place of each stands the conversation of the method it names."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from algorithms import registry
from algorithms.method import Params
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Cohort, Conversation, Step
from algorithms.seam.claims import Details, Note, UpperBound
from algorithms.seam.hint import Hint
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
    hints = part.known or [whole.cases[i].hint for i in owners]
    cases = (_keyed(whole.cases[i], part.name, hint) for i, hint in zip(owners, hints, strict=True))
    some = Cohort(tuple(cases), live=whole.live[owners])
    converse: Callable[[Any, Threat, Params], Conversation] = method.run
    conversation = converse(some, threat, method.params.model_validate({**part.params, "name": method.name}))
    nearest: list[tuple[float, Rows | None]] = [(np.inf, None)] * len(owners)
    notes, answer = [Details() for _ in owners], None
    while True:
        some.live[:] = whole.live[owners]
        try:
            said = conversation.send(answer)
        except StopIteration:
            points = tuple(point for _, point in nearest)
            return PartEnded(np.array([point is not None for point in points], np.bool_), points, tuple(notes))
        if isinstance(said, Question):
            answer = yield said.charged_to(owners)
            continue
        answer, member = None, said.owner
        if isinstance(said, Note):
            notes[member].update(said.details)
            continue
        if isinstance(said, UpperBound):
            away = threat.distance(said.x_adv, some.cases[member].x)
            if away < nearest[member][0] and (threat.epsilon is None or away <= threat.epsilon):
                nearest[member] = away, said.x_adv
        yield replace(said, owner=int(owners[member]))


def _keyed(case: Case, name: str, hint: Hint) -> Case:
    """The case with what is known of it, whose random numbers are the part's own."""
    return replace(case, stream=replace(case.stream, method=f"{case.stream.method}/{name}"), hint=hint)
