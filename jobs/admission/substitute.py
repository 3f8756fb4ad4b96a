"""May a job train a substitute of its model? Every refusal that concerns the rows that it learns from. Pure."""

import math

import numpy as np

from algorithms.artifacts.answered import AnsweredRows
from algorithms.errors import Refused
from algorithms.method import Method, Params
from jobs.spec import JobSpec

MOST_BYTES = 128 << 20  # of rows and answers together: they cross the pipe at once, and are trained on in memory


def rounds(method: Method, params: Params) -> tuple[int, ...]:
    """Counts the rows asked about, at most, before each training; (): the method trains no substitute."""
    wanted = method.wants(params)
    return wanted.rounds if isinstance(wanted, AnsweredRows) else ()


def check(spec: JobSpec) -> None:
    """Refuses rows that are too many, or not valid. Raises Refused."""
    if not spec.rounds:
        return
    fitting = MOST_BYTES // (4 * (math.prod(spec.shape) + spec.model.classes.count))
    if sum(spec.rounds) > fitting:
        raise Refused(
            f"{fitting} rows of this shape, with so many classes, can be learned from at most; "
            "lower oracle_queries to that.",
            pointer="/method/oracle_queries",
        )
    _check_box(spec)


def _check_box(spec: JobSpec) -> None:
    """Whoever has other units there has them in all rows, and none would be left as it was."""
    rows = spec.auxiliary
    assert rows is not None
    box = spec.threat.threat(spec.shape).box
    low, high = float(np.min(box.lower)), float(np.max(box.upper))
    if rows.minimum < low or rows.maximum > high:
        raise Refused(
            f"The auxiliary samples reach from {rows.minimum:g} to {rows.maximum:g}, the box from {low:g} to {high:g}; "
            "upload them in the units of the samples, or set threat.box.",
            pointer="/auxiliary_samples_id",
        )
