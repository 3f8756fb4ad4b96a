"""From the bytes of an answer to numbers that can be trusted: strict JSON, finite, of the right shape."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic_core import from_json

from algorithms.errors import Refused
from algorithms.seam.access import Scores
from algorithms.seam.labeling import named
from models.cards import OutputKind
from models.class_names import NamedClasses
from models.endpoints._faults import bad_response
from models.lifting import lifted

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


def scores(tree: JsonTree, rows: int, classes: int, kind: OutputKind) -> Scores:
    """Make scores (rows, classes) of rows of numbers, or of all in one list. Raises ModelFault(endpoint_bad_response).

    Of two classes one number a row will do, as of an uploaded model: a logit z is [0, z], a probability p [1 - p, p].
    The largest is that of the numbers as they were written, also where float32 knows no difference.
    """
    shapes: tuple[tuple[int, ...], ...] = ((rows, classes), (rows * classes,))
    found = _array(tree, (*shapes, (rows,), (rows, 1)) if classes == 2 else shapes)
    if found.size == rows:
        z = found.reshape(rows, 1)
        found = np.hstack([1 - z if kind == "probabilities" else np.zeros_like(z), z])
    found = found.reshape(rows, classes)
    return lifted(in_float32(found), named(found))


def numbers(values: list[Any]) -> NDArray[np.float64]:
    """Make an array of numbers, and nothing else. Raises ModelFault(endpoint_bad_response)."""
    return _array(values, ((len(values),),))


def in_float32(found: NDArray[np.float64]) -> NDArray[np.float32]:
    """Makes numbers of float32. Raises ModelFault(endpoint_bad_response) where that has none of their size."""
    with np.errstate(over="ignore"):
        values = found.astype(np.float32)
    if not np.all(np.isfinite(values)):
        raise bad_response("The endpoint answered numbers that are not finite in float32.")
    return values


def labels(tree: JsonTree, rows: int, classes: NamedClasses) -> NDArray[np.int64]:
    """Make labels (rows,), as columns, of whole numbers or of names. Raises ModelFault(endpoint_bad_response)."""
    found = _list(tree, ((rows,), (rows, 1)), {int, float}, {str}).reshape(rows)
    is_text = isinstance(found[0], str)
    if is_text and classes.names is None:
        raise bad_response(
            "The endpoint answers its labels as text; register it with output.classes as the list of their names."
        )
    if not is_text and not all(map(_is_whole, found)):
        raise bad_response(f"The endpoint answered labels that are not integers from {classes.numbers}.")
    try:
        return classes.columns(np.array([label if is_text else int(label) for label in found]))
    except Refused:
        known = "the names in output.classes" if is_text else f"its classes, {classes.numbers}"
        raise bad_response(f"The endpoint answered labels that are none of {known}.") from None


def _is_whole(number: int | float) -> bool:
    return abs(number) < 2**63 and number == int(number)


def _array(tree: JsonTree, shapes: tuple[tuple[int, ...], ...]) -> NDArray[np.float64]:
    """Numbers only: no null, text, true or false among them, and no list of another length."""
    found = _list(tree, shapes, {int, float})
    try:
        return found.astype(np.float64)
    except OverflowError:  # an integer beyond float64
        raise bad_response("The endpoint answered numbers that are not finite.") from None


def _list(tree: JsonTree, shapes: tuple[tuple[int, ...], ...], *kinds: set[type]) -> NDArray[Any]:
    """The tree as an array of objects that are all of one of these kinds."""
    found = np.array(tree, dtype=object)
    met = set(map(type, found.ravel()))
    if found.shape in shapes and any(met <= kind for kind in kinds):
        return found
    if met & {dict}:
        raise bad_response(
            "The endpoint answered objects where numbers are wanted; let the path name their members, such as"
            " $[*].score, or $[*]['first', 'second'] for two classes."
        )
    if met & {str} and {str} not in kinds:
        raise bad_response(
            'The endpoint answered text where numbers are wanted; let it answer JSON numbers (0.5, not "0.5"). If it is'
            " the names of classes, register it with output.kind labels, and output.classes as the list of names."
        )
    if met & {bool, type(None)}:
        raise bad_response(
            "The endpoint answered null, true or false where numbers are wanted; let it answer a JSON number for each"
            " class, 0 and 1 for no and yes."
        )
    wanted = " x ".join(map(str, shapes[0]))
    more = " Of the likeliest classes only, let the option classes of json_template lead to the class of each score."
    is_less = len(shapes[0]) == 2 and 0 < found.size < shapes[0][0] * shapes[0][1]
    raise bad_response(
        f"The endpoint did not answer {wanted} numbers; check its address, shape and classes.{more if is_less else ''}"
    )


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
