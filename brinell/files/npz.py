"""Writes samples as the .npz that the service reads: `x` (n, *shape) float32 and `y` (n,) int64, without numpy.

The format of .npy is numpy's NEP 1: a magic word, the header's length, a Python literal, then the raw values.
"""

import sys
import zipfile
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

ORDER = "<" if sys.byteorder == "little" else ">"
ALIGNMENT = 64


class Sample(NamedTuple):
    """A sample is its numbers in flat order, and its label."""

    x: bytes  # float32 values, row by row
    label: int


def write(path: Path, samples: Iterable[Sample], *, count: int, shape: Sequence[int]) -> None:
    """Writes the `count` samples that `samples` yields, one at a time in memory.

    The file appears whole or not at all.
    """
    draft = path.with_name(f"{path.name}.new")
    labels = array("q")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open("x.npy", "w", force_zip64=True) as file:
                file.write(_header("f4", (count, *shape)))
                for sample in samples:
                    file.write(sample.x)
                    labels.append(sample.label)
            archive.writestr("y.npy", _header("i8", (count,)) + labels.tobytes())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _header(kind: str, shape: tuple[int, ...]) -> bytes:
    literal = f"{{'descr': '{ORDER}{kind}', 'fortran_order': False, 'shape': {shape!r}, }}"
    padding = -(10 + len(literal) + 1) % ALIGNMENT  # 10: magic, version and length
    text = (literal + " " * padding + "\n").encode("ascii")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
