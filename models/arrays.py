"""Models that are uploaded as arrays: their .npz is opened, read and refused here, for every kind of them alike.

An opener checks headers before any number is read, and raises `unsupported` for missing arrays, shapes and types;
`invalid` is for numbers that contradict themselves.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import Refused
from models.archive import ArchivedArray, open_archive


@contextmanager
def model_arrays(data: bytes, *, names: tuple[str, ...], required: Sequence[str]) -> Iterator[dict[str, ArchivedArray]]:
    """Open the .npz of a model: its arrays by name, all headers checked and no number read yet.

    Raises Refused: model_unparseable for what is no .npz of numbers with these names, unsupported_signature where one
    of the required ones is missing.
    """
    try:
        with open_archive(BytesIO(data), names=names) as arrays:
            if missing := [name for name in required if name not in arrays]:
                example = ", ".join(f"{name}={name}" for name in required)
                raise unsupported(
                    f"There is no array {', '.join(missing)} in the .npz; write it with np.savez({example})."
                )
            yield arrays
    except Refused as refused:
        code = "model_unparseable" if refused.code == "samples_unreadable" else refused.code
        raise Refused(refused.detail, code=code) from None


def whole(array: ArchivedArray) -> NDArray[Any]:
    """Read all numbers of an array, in its own shape; (1,) for a single number."""
    shape = array.shape or (1,)
    numbers = np.concatenate(list(array.blocks())) if array.size else np.zeros(0, array.dtype)
    return numbers.reshape(shape, order="F" if array.fortran else "C")


def finite(name: str, numbers: NDArray[Any]) -> NDArray[np.float64]:
    """Widen to float64. Raises Refused(model_invalid) for NaN, infinity and what float32 cannot hold."""
    found = np.ascontiguousarray(numbers, np.float64)
    if not np.isfinite(found).all():
        raise invalid(f"Array {name} holds NaN or infinity; replace it or leave it out.")
    if np.abs(found).max(initial=0.0) > np.finfo(np.float32).max:
        raise invalid(f"Array {name} holds a number too large for float32; scale it down.")
    return found


def unsupported(detail: str) -> Refused:
    """Make the refusal of arrays that are missing, or of another shape or type."""
    return Refused(detail, code="unsupported_signature")


def invalid(detail: str) -> Refused:
    """Make the refusal of numbers that are no model."""
    return Refused(detail, code="model_invalid")
