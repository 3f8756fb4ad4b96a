"""Uploaded samples: an .npz with `x` (n, *shape) and, optionally, labels `y` (n,), whole numbers or text."""

import math
import sys
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import Refused
from models.archive import ArchivedArray, open_archive
from models.cards import SamplesFacts

NAMES = ("x", "y")
TEXTS = ("y",)
UploadedLabels = NDArray[np.int64] | NDArray[np.str_]
LISTED = 1000  # different labels that a card lists, at most


def inspect_samples(path: Path) -> SamplesFacts:
    """Read an upload once, in bounded memory, and say what is in it.

    Raises Refused: samples_unreadable for the file, the names, the types and the shapes; samples_not_finite.
    """
    with path.open("rb") as file, open_archive(file, names=NAMES, texts=TEXTS) as arrays:
        x, y = _check(arrays)
        minimum, maximum = _finite_range(x)
        labels = _label_facts(y) if y else {"label_minimum": None, "label_maximum": None}
    return SamplesFacts(
        count=x.shape[0],
        shape=x.shape[1:],
        dtype=x.dtype.name,
        labelled=y is not None,
        minimum=minimum,
        maximum=maximum,
        **labels,
    )


def load_rows(data: bytes, indices: Sequence[int]) -> tuple[NDArray[np.float32], UploadedLabels | None]:
    """Load the given rows of an inspected upload: x (m, *shape), y (m,) or None. Memory grows with m only."""
    rows = np.asarray(indices, np.int64)
    with open_archive(BytesIO(data), names=NAMES, texts=TEXTS) as arrays:
        x, y = _check(arrays)
        if len(rows) and not 0 <= rows.min() <= rows.max() < x.shape[0]:
            raise Refused(f"Sample indices run from 0 to {x.shape[0] - 1}.", pointer="/samples/indices")
        return _as_float32(x.take(rows)), _native(y.take(rows)) if y else None


def rows_within(nbytes: int, count: int, shape: tuple[int, ...]) -> int:
    """Counts how many of `count` rows fit as float32, at least one."""
    return max(1, min(count, nbytes // (4 * math.prod(shape))))


def _check(arrays: dict[str, ArchivedArray]) -> tuple[ArchivedArray, ArchivedArray | None]:
    x, y = arrays.get("x"), arrays.get("y")
    if x is None:
        raise _unreadable("There is no array x in the .npz; write it with np.savez(file, x=x, y=y).")
    if len(x.shape) < 2 or x.size == 0:
        raise _unreadable("Array x needs a samples axis and at least one more, none of them empty.")
    if y and (y.dtype.kind not in "iuU" or y.shape != x.shape[:1]):
        raise _unreadable(f"Array y must hold integers or text, one for each of the {x.shape[0]} samples: shape (n,).")
    return x, y


def _finite_range(x: ArchivedArray) -> tuple[float, float]:
    """Smallest and largest number as the model will see it."""
    lowest, highest = np.inf, -np.inf
    for block in x.blocks():
        numbers = _as_float32(block)
        low, high = float(numbers.min()), float(numbers.max())
        lowest, highest = min(lowest, low), max(highest, high)
        if not np.isfinite(low) or not np.isfinite(high):  # both are NaN where one number is
            raise Refused(
                "Array x holds NaN, infinity or a number too large for float32; replace it or leave the sample out.",
                code="samples_not_finite",
            )
    return lowest, highest


def _label_facts(y: ArchivedArray) -> dict[str, Any]:
    """What a card says of labels: the range of those that are numbers, and the different ones where they are few."""
    ends, values = [], set[Any]()
    for block in y.blocks():
        found = _spelled(block)
        ends += [found[0], found[-1]]
        if len(values) <= LISTED:
            values.update(found)
    if y.dtype.kind != "U" and max(ends) > np.iinfo(np.int64).max:
        raise _unreadable("Array y holds a label beyond the range of int64.")
    return {
        "label_minimum": None if y.dtype.kind == "U" else min(ends),
        "label_maximum": None if y.dtype.kind == "U" else max(ends),
        "label_values": tuple(sorted(values)) if len(values) <= LISTED else None,
    }


def _spelled(block: NDArray[Any]) -> list[Any]:
    """The different labels of a block, in order."""
    is_text = block.dtype.kind == "U"
    if is_text and block.view(np.dtype("u4").newbyteorder(block.dtype.byteorder)).max() > sys.maxunicode:
        raise _unreadable("Array y holds text that is no Unicode; write it with np.savez again.")
    found: list[Any] = np.unique(block).tolist()
    if is_text and not all(map(str.isprintable, found)):
        raise _unreadable("Array y holds text that cannot be printed; write labels in one line of plain characters.")
    return found


def _as_float32(numbers: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # becomes infinity, which is refused
        return numbers.astype(np.float32)


def _native(labels: NDArray[Any]) -> UploadedLabels:
    return labels.astype(labels.dtype.newbyteorder("=") if labels.dtype.kind == "U" else np.int64)


def _unreadable(detail: str) -> Refused:
    return Refused(detail, code="samples_unreadable")
