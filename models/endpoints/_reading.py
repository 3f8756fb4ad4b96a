"""From the bytes of an answer to numbers that can be trusted: strict JSON, finite, of the right shape."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from models.cards import OutputKind
from models.endpoints._faults import bad_response

DEEPEST = 32

JsonTree = Any  # null, bool, number, text, list, dict: what JSON can say


def read(body: bytes) -> JsonTree:
    """Parse strict JSON of bounded depth. Raises ModelFault(endpoint_bad_response)."""
    try:
        tree: JsonTree = from_json(body, allow_inf_nan=False)
    except ValueError:
        raise bad_response("The endpoint's answer is no valid JSON; NaN and Infinity are not part of it.") from None
    if body.count(b"[") + body.count(b"{") > DEEPEST and _is_deeper(tree, DEEPEST):
        raise bad_response(f"The endpoint's answer is nested deeper than {DEEPEST} levels.")
    return tree


def scores(tree: JsonTree, rows: int, classes: int, kind: OutputKind) -> NDArray[np.float32]:
    """Make scores (rows, classes) of rows of numbers, or of all in one list. Raises ModelFault(endpoint_bad_response).

    Of two classes one number a row will do, as of an uploaded model: a logit z is [0, z], a probability p [1 - p, p].
    """
    shapes: tuple[tuple[int, ...], ...] = ((rows, classes), (rows * classes,))
    found = _array(tree, (*shapes, (rows,), (rows, 1)) if classes == 2 else shapes)
    if found.size == rows:
        z = found.reshape(rows, 1)
        found = np.hstack([1 - z if kind == "probabilities" else np.zeros_like(z), z])  # (rows, 2)
    with np.errstate(over="ignore"):
        values = found.astype(np.float32).reshape(rows, classes)
    if not np.all(np.isfinite(values)):
        raise bad_response("The endpoint answered numbers that are not finite in float32.")
    return values


def labels(tree: JsonTree, rows: int, classes: int) -> NDArray[np.int64]:
    """Make labels (rows,) of whole numbers. Raises ModelFault(endpoint_bad_response)."""
    values = _array(tree, ((rows,), (rows, 1))).reshape(rows)
    if not np.all((values == np.floor(values)) & (values >= 0) & (values < classes)):
        raise bad_response(f"The endpoint answered labels that are not integers from 0 to {classes - 1}.")
    return values.astype(np.int64)


def _array(tree: JsonTree, shapes: tuple[tuple[int, ...], ...]) -> NDArray[np.float64]:
    """Numbers only: no null, text, true or false among them, and no list of another length."""
    found = np.array(tree, dtype=object)
    if found.shape not in shapes or not set(map(type, found.ravel())) <= {int, float}:
        wanted = " x ".join(map(str, shapes[0]))
        raise bad_response(f"The endpoint did not answer {wanted} numbers; check its address, shape and classes.")
    try:
        return found.astype(np.float64)
    except OverflowError:  # an integer beyond float64
        raise bad_response("The endpoint answered numbers that are not finite.") from None


def _is_deeper(tree: JsonTree, levels: int) -> bool:
    """Level by level, so that the depth of our own stack is not what an answer decides."""
    level = [tree]
    for _ in range(levels):
        level = [item for part in level if isinstance(part, list | dict) for item in _items(part)]
        if not level:
            return False
    return any(isinstance(part, list | dict) for part in level)


def _items(part: list[JsonTree] | dict[str, JsonTree]) -> list[JsonTree]:
    """What is nested in it; numbers and text are of no concern here."""
    inside = part.values() if isinstance(part, dict) else part
    return [item for item in inside if isinstance(item, list | dict)]
