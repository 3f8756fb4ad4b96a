"""Uploaded samples: an .npz with `x` (n, *shape) and, optionally, integer labels `y` (n,)."""

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


def inspect_samples(path: Path) -> SamplesFacts:
    """Read an upload once, in bounded memory, and say what is in it.

    Raises Refused: samples_unreadable for the file, the names, the types and the shapes; samples_not_finite.
    """
    with path.open("rb") as file, open_archive(file, names=NAMES) as arrays:
        x, y = _check(arrays)
        minimum, maximum = _finite_range(x)
        label_minimum, label_maximum = _label_range(y) if y else (None, None)
    return SamplesFacts(
        count=x.shape[0],
        shape=x.shape[1:],
        dtype=x.dtype.name,
        labelled=y is not None,
        label_minimum=label_minimum,
        label_maximum=label_maximum,
        minimum=minimum,
        maximum=maximum,
    )


def load_rows(data: bytes, indices: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """Load the given rows of an inspected upload: x (m, *shape), y (m,) or None. Memory grows with m only."""
    rows = np.asarray(indices, np.int64)
    with open_archive(BytesIO(data), names=NAMES) as arrays:
        x, y = _check(arrays)
        if len(rows) and not 0 <= rows.min() <= rows.max() < x.shape[0]:
            raise Refused(f"Sample indices run from 0 to {x.shape[0] - 1}.", pointer="/samples/indices")
        return _as_float32(x.take(rows)), y.take(rows).astype(np.int64) if y else None


def _check(arrays: dict[str, ArchivedArray]) -> tuple[ArchivedArray, ArchivedArray | None]:
    x, y = arrays.get("x"), arrays.get("y")
    if x is None:
        raise _unreadable("There is no array x in the .npz; write it with np.savez(file, x=x, y=y).")
    if len(x.shape) < 2 or x.size == 0:
        raise _unreadable("Array x needs a samples axis and at least one more, none of them empty.")
    if y and (y.dtype.kind not in "iu" or y.shape != x.shape[:1]):
        raise _unreadable(f"Array y must hold integers, one for each of the {x.shape[0]} samples: shape (n,).")
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


def _label_range(y: ArchivedArray) -> tuple[int, int]:
    lows, highs = zip(*((int(block.min()), int(block.max())) for block in y.blocks()), strict=True)
    if max(highs) > np.iinfo(np.int64).max:
        raise _unreadable("Array y holds a label beyond the range of int64.")
    return min(lows), max(highs)


def _as_float32(numbers: NDArray[Any]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # becomes infinity, which is refused
        return numbers.astype(np.float32)


def _unreadable(detail: str) -> Refused:
    return Refused(detail, code="samples_unreadable")
