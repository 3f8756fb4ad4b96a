"""How conversations begin: a method meets its samples one by one, or many at once."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from algorithms.driver.parts import with_parts
from algorithms.driver.talk import Talk
from algorithms.driver.trial import Trial
from algorithms.method import Method, Params
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Cohort, Conversation
from algorithms.threats.threat import Threat


def begin(
    trials: Sequence[Trial],
    method: Method,
    params: Params,
    threat: Threat,
    *,
    classes: int,
    pool: Rows | None,
    basis: Rows | None,
    parts: int = 1,
) -> list[Talk]:
    """Begin one talk for each sample that is not over; or for each of so many parts of them, one for all at the least.

    There are no more parts than chunks of the method's: one chunk stays whole.
    """
    converse: Callable[[Any, Threat, Params], Conversation] = method.run
    waiting = [trial for trial in trials if not trial.is_over]
    if not method.cohort:
        cases = [Case(t.x, t.label, t.target, t.scores, classes, t.stream, pool, basis, t.hint) for t in waiting]
        alone = zip(waiting, cases, strict=True)
        return [Talk(converse(case, threat, params), [trial], np.ones(1, np.bool_)) for trial, case in alone]

    def talk(some: Sequence[Trial]) -> Talk:
        cohort = _cohort(some, threat, classes)
        return Talk(with_parts(converse(cohort, threat, params), cohort, threat), list(some), cohort.live)

    parts = max(1, min(parts, -(-len(waiting) // method.chunk)))
    ends = [len(waiting) * i // parts for i in range(parts + 1)]
    return [talk(waiting[start:end]) for start, end in pairwise(ends) if start < end]


def _cohort(waiting: Sequence[Trial], threat: Threat, classes: int) -> Cohort:
    return Cohort(
        x=np.stack([t.x for t in waiting]),
        labels=np.array([t.label for t in waiting], np.int64),
        targets=None if threat.targeted is None else np.array([t.target for t in waiting], np.int64),
        scores=None if waiting[0].scores is None else np.stack([t.scores for t in waiting if t.scores is not None]),
        classes=classes,
        streams=tuple(t.stream for t in waiting),
        live=np.ones(len(waiting), np.bool_),
        hints=tuple(t.hint for t in waiting),
    )
