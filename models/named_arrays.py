"""Named arrays as the library keeps them: an npz, read back as if a stranger had sent it, against what was declared."""

import io
import zipfile

import numpy as np

from algorithms.artifacts.basis import BASIS
from algorithms.artifacts.wish import Arrays, Declaration, NotAsDeclared, check
from algorithms.errors import Refused
from models.archive import open_archive
from models.arrays import whole

LONE_ARRAY = b"\x93NUMPY"  # how versions that made nothing else kept a basis: an npy


def packed(arrays: Arrays) -> bytes:
    """Packs arrays, in the order of their names: the same arrays give the same bytes."""
    file = io.BytesIO()
    np.savez(file, **{name: arrays[name] for name in sorted(arrays)})  # type: ignore[arg-type]
    return file.getvalue()


def unpacked(data: bytes, declared: Declaration) -> Arrays:
    """Reads what was packed, in the order of the declaration. Raises NotAsDeclared."""
    try:
        with open_archive(io.BytesIO(_archive(data)), names=tuple(declared)) as found:
            room = sum(array.nbytes for array in declared.values())
            if sum(array.size * array.dtype.itemsize for array in found.values()) > room:
                raise NotAsDeclared("more numbers than were declared")
            arrays = {name: whole(array).reshape(array.shape) for name, array in found.items()}
    except Refused as refused:
        raise NotAsDeclared(refused.detail) from None
    check(arrays, declared)
    return {name: arrays[name] for name in declared}


def _archive(data: bytes) -> bytes:
    if not data.startswith(LONE_ARRAY):
        return data
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{BASIS}.npy", data)
    return file.getvalue()
