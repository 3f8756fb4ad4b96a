"""Writes samples as the .npz that the service reads: `x` (n, *shape) float32, `y` (n,) int64 or text, without numpy.

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
    label: int | str


def write(path: Path, samples: Iterable[Sample], *, count: int, shape: Sequence[int]) -> None:
    """Writes the `count` samples that `samples` yields, one at a time in memory.

    The file appears whole or not at all.
    """
    draft = path.with_name(f"{path.name}.new")
    labels: list[int | str] = []
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open("x.npy", "w", force_zip64=True) as file:
                file.write(_header("f4", (count, *shape)))
                for sample in samples:
                    file.write(sample.x)
                    labels.append(sample.label)
            archive.writestr("y.npy", _labels(labels))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _labels(labels: Sequence[int | str]) -> bytes:
    """Numbers, or text in UCS-4, where short ones end in zeros."""
    numbers = [label for label in labels if isinstance(label, int)]
    if len(numbers) == len(labels):
        return _header("i8", (len(labels),)) + array("q", numbers).tobytes()
    words = [str(label) for label in labels]
    longest = max(1, *map(len, words))
    encoding = f"utf-32-{sys.byteorder[0]}e"
    return _header(f"U{longest}", (len(labels),)) + b"".join(w.ljust(longest, "\0").encode(encoding) for w in words)


def _header(kind: str, shape: tuple[int, ...]) -> bytes:
    literal = f"{{'descr': '{ORDER}{kind}', 'fortran_order': False, 'shape': {shape!r}, }}"
    padding = -(10 + len(literal) + 1) % ALIGNMENT  # 10: magic, version and length
    text = (literal + " " * padding + "\n").encode("ascii")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
