"""What one number a row means: a logit, a probability, a label. By the graph where it tells, else by what was answered.

within [0, 1] by the graph, on both sides of 1/2            a probability; a label where it is 0 or 1
an affine map of unbounded values, or of many, around 0     a logit, if it left [0, 1] on a row that was tried
never left [0, 1], and the graph does not say why           a probability, which is a guess
anything else                                               refused: the caller has to tell
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from algorithms.errors import Refused
from models.cards import Meaning, Reads
from models.onnx.graph import producers
from models.onnx.reading.ranges import UNKNOWN, Range
from models.onnx.reading.walking import ranges
from models.onnx.signature import unsupported

FAR = (16.0, 4096.0, 2.0**24)  # times ordinary rows, where a linear model leaves [0, 1]
ROUNDED = 1e-5  # how far beyond [0, 1] a probability may be that float32 computed
HALF = 0.5

Numbers = NDArray[Any]


def far_rows(fed: Numbers, factor: float) -> Numbers:
    """Make rows farther from zero, on both sides, of every fourth that the model was tried on."""
    most = float(np.finfo(fed.dtype).max) / 4
    few = fed[::4].astype(np.float64) * factor
    far: Numbers = np.clip(np.concatenate([few, -few]), -most, most).astype(fed.dtype)
    return far


def read_number(
    model: ModelProto, output: str, near: Numbers, far: Callable[[], Numbers], told: Meaning | None
) -> Reads:
    """Read an output of one number a row. `near`, `far`: its answers to ordinary rows and to far ones.

    Raises Refused(unsupported_signature) where nothing tells, or where what was told cannot be.
    """
    found = ranges(model).get(output, UNKNOWN)
    if _leaves(near):
        found = UNKNOWN if _is_probability(found) else found  # never believe a rule that the file itself refutes
    if told is not None:
        _check(told, found, near, far)
        return Reads(output=output, as_=told, because="told")
    if _is_probability(found) and _crosses_half(found):
        return Reads(output=output, as_="label" if found.is_whole else "probability", because="graph")
    seen = near.ravel()
    if not _is_probability(found):
        seen = np.concatenate([seen, far().ravel()])
        if _leaves(seen) and _is_logit(found):
            return Reads(output=output, as_="logit", because="graph")
        if not _leaves(seen) and len(np.unique(seen)) > 1:
            return Reads(output=output, as_="probability", because="values")
    raise _unclear(model, output, found, near, leaves=_leaves(seen))


def _is_probability(found: Range) -> bool:
    return found.is_known and found.low >= -ROUNDED and found.high <= 1 + ROUNDED


def _crosses_half(found: Range) -> bool:
    return found.low < HALF < found.high


def _is_logit(found: Range) -> bool:
    """Whether its sign may be an answer: around zero, of a linear layer or without any end."""
    has_no_end = found.is_known and found.low == -np.inf and found.high == np.inf
    return found.low < 0 < found.high and (found.is_score or has_no_end)


def _leaves(seen: Numbers) -> bool:
    """Whether a number lies beyond [0, 1], infinity included; NaN says nothing."""
    return bool(((seen < -ROUNDED) | (seen > 1 + ROUNDED)).any())


def _check(told: Meaning, found: Range, near: Numbers, far: Callable[[], Numbers]) -> None:
    """Raises Refused where the graph or the answers contradict what was told."""
    if told == "label":
        if not (near == np.floor(near)).all():
            raise _contradicted(told, "it answers fractions; a label is a whole number")
    elif told == "probability":
        if _is_probability(found) and not _crosses_half(found):
            raise _contradicted(told, "by its graph it never crosses 1/2, where class 1 begins")
        if not _is_probability(found) and _leaves(np.concatenate([near.ravel(), far().ravel()])):
            raise _contradicted(told, "it answers numbers below 0 or above 1")
    elif (side := _one_sided(found, near)) is not None:
        raise _contradicted(told, f"by its graph no number is {side} 0, and a {told} above 0 is class 1")


def _one_sided(found: Range, near: Numbers) -> str | None:
    """Tell on which side of 0 no number can be, so that all rows would be of one class."""
    if found.low >= 0 and (_is_probability(found) or bool((near > 0).all())):
        return "below"
    return "above" if found.high <= 0 else None


def _contradicted(told: Meaning, why: str) -> Refused:
    return unsupported(f"The output cannot be what output={told} says: {why}. Leave output out, or tell another.")


def _unclear(model: ModelProto, output: str, found: Range, near: Numbers, *, leaves: bool) -> Refused:
    maker = producers(model.graph).get(output)
    end = f", the last operator is {maker.op_type}" if maker is not None else ""
    low, high = float(np.nanmin(near)), float(np.nanmax(near))
    by_graph = f"between {found.low:.4g} and {found.high:.4g} by the graph, " if found.is_known else ""
    if _is_probability(found):
        by_graph += "which never crosses 1/2, as a confidence does not; "
    is_cut_at_0 = not _is_probability(found) and _one_sided(found, near) is None
    may_be = ["output=logit or output=decision (class 1 above 0)"] if is_cut_at_0 else []
    may_be += [] if leaves or _is_probability(found) else ["output=probability (class 1 above 1/2)"]
    may_be += ["output=label"] if (near == np.floor(near)).all() else []
    told = f"Upload it with {' or '.join(may_be)}, or export" if may_be else "Export the probability of class 1, or"
    return unsupported(
        f"The model answers one number a row ({by_graph}{low:.4g} to {high:.4g} on rows that were tried{end}), and"
        f" nothing says what it means. {told} a number for each class."
    )
