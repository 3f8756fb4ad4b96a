"""How many brackets closed, and when: the jobs in the order of the recipe, as if one had been computed after the other.

Each end counts from the end of the job that found it. Pure: seconds are those that the jobs' summaries tell.
"""

from collections.abc import Sequence

import numpy as np

from audits.document.closure import CLOSED, Closure, ClosurePoint
from audits.evidence.brackets import proven, reached
from audits.evidence.evidence import BracketQuestion, Evidence
from audits.evidence.table import Flags, Table
from audits.policy.metrics import Share


def closure(table: Table, evidence: Sequence[Evidence]) -> Closure | None:
    """Counts closed brackets of samples that are not misclassified; None where either end was not looked for."""
    if table.gaps.keys() & {"attack", "certificate", "predictions"}:
        return None
    closed = _closed(table.lower, table.upper)
    rate = Share(closed[table.correct]).interval()
    if rate is None:
        return None
    curve = tuple(_curve(table, evidence))
    return Closure(share=rate.value, low=rate.low, high=rate.high, curve=curve)


def _closed(lower: np.ndarray, upper: np.ndarray) -> Flags:
    return np.asarray((lower > 0) & (upper <= CLOSED * lower), np.bool_)


def _curve(table: Table, evidence: Sequence[Evidence]) -> list[ClosurePoint]:
    """A point where each job ended that changed something, and the last."""
    place = {index: i for i, index in enumerate(table.indices.tolist())}
    about: dict[int, BracketQuestion] = {}
    lower, upper, seconds = np.zeros(len(place)), np.full(len(place), np.inf), 0.0
    points = [ClosurePoint(method="", seconds=0.0, share=0.0)]
    for one in evidence:
        for index, finding in one.by_index.items():
            question = one.question(index)
            if about.setdefault(index, question) == question:
                lower[place[index]] = max(lower[place[index]], (proven(finding) or (0.0, 1.0))[0])
                upper[place[index]] = min(upper[place[index]], np.inf if (end := reached(finding)) is None else end)
        seconds += one.job.summary.seconds_with_prepare if one.job.summary else 0.0
        share = float(_closed(lower, upper)[table.correct].mean())
        if share != points[-1].share or one is evidence[-1]:
            points.append(ClosurePoint(method=one.method.name, seconds=seconds, share=share))
    return points
