"""How conversations begin: a method meets its samples one by one, or many at once."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from algorithms.driver.parts import with_parts
from algorithms.driver.talk import Talk
from algorithms.driver.trial import Trial
from algorithms.method import Method, Params
from algorithms.seam.case import Cohort, Conversation
from algorithms.threats.threat import Threat


def begin(trials: Sequence[Trial], method: Method, params: Params, threat: Threat, *, groups: int = 1) -> list[Talk]:
    """Begin one talk for each sample that is not over; or for each of so many groups of them, one for all at the least.

    There are no more groups than chunks of the method's: one chunk stays whole.
    """
    converse: Callable[[Any, Threat, Params], Conversation] = method.run
    waiting = [trial for trial in trials if not trial.is_over]
    if not method.cohort:
        return [Talk(converse(trial.case, threat, params), [trial], np.ones(1, np.bool_)) for trial in waiting]

    def talk(some: list[Trial]) -> Talk:
        cohort = Cohort(tuple(trial.case for trial in some), live=np.ones(len(some), np.bool_))
        return Talk(with_parts(converse(cohort, threat, params), cohort, threat), some, cohort.live)

    groups = max(1, min(groups, -(-len(waiting) // method.chunk)))
    ends = [len(waiting) * i // groups for i in range(groups + 1)]
    return [talk(waiting[start:end]) for start, end in pairwise(ends) if start < end]
