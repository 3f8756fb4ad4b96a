"""A point that was found on another model, tried on this one: it lies just behind a boundary that is not this model's.

So it is tried, then points farther out on the same ray; the first that is adversarial is drawn back by halving.
"""

from collections.abc import Iterator
from typing import Any

from algorithms.mathematics.norms import Counting
from algorithms.seam.access import Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Note, UpperBound
from algorithms.seam.labeling import is_fooled
from algorithms.seam.questions.labels import AskLabels
from algorithms.searches.labels.line import Segment, halve
from algorithms.threats.threat import Threat

GROWTH = 1.25  # of the distance from try to try
SHORT = 1 - 1e-6  # of epsilon: what rounding may add


def try_found(case: Case, threat: Threat[Any], *, reach: float, halvings: int) -> Conversation:
    """Try the hint's point, then farther ones; claim the first that is adversarial, and halve the way back.

    `reach`: how far out, in distances of the point.
    """

    def is_fooled_by(row: Rows) -> Step[bool]:
        answers = yield from AskLabels(row[None])
        fooled = bool(is_fooled(answers, case.label, case.target)[0])
        if fooled:
            yield UpperBound(row)
        return fooled

    if case.hint.point is None:
        yield Note({"surrogate_distance": None})  # nothing was found there either
        return
    yield Note({"surrogate_distance": threat.distance(case.hint.point, case.x)})
    failed = case.x
    for far in _outwards(case.x, case.hint.point, threat, reach):
        if (yield from is_fooled_by(far)):
            yield from halve(Segment(failed, far, threat), is_fooled_by, halvings=halvings)
            return
        failed = far


def _outwards(x: Rows, point: Rows, threat: Threat[Any], reach: float) -> Iterator[Rows]:
    """The point, and valid ones farther out on its ray: within epsilon, the last of them at epsilon itself."""
    size, share = threat.distance(point, x), 1.0
    most = reach
    if threat.epsilon is not None and not isinstance(threat.norm, Counting):  # a count stays what it is
        most = min(reach, SHORT * threat.epsilon / max(size, 1e-12))
    while share < most:
        yield point if share == 1 else threat.clip(x + share * (point - x), x)
        share *= GROWTH
    yield point if most == 1 else threat.clip(x + most * (point - x), x)
