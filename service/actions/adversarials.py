"""A job's adversarial points as one .npz, put together from its chunks without ever holding more than one of them."""

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.typing import NDArray

from models.storage import disk_errors

BLOCK_BYTES = 1 << 18

Fetch = Callable[[str], bytes]


@dataclass(frozen=True)
class Chunk:
    """A chunk is what one chunk of a job found: index (m,), x (m, *shape), label (m,)."""

    index: NDArray[np.int64]
    x: NDArray[np.float32]
    label: NDArray[np.int64]


@disk_errors()
def merge(digests: Sequence[str], fetch: Fetch, shape: tuple[int, ...], folder: Path) -> IO[bytes]:
    """Makes a temporary file, at its start, with `index` (m,), `x` (m, *shape), `label` (m,); m may be 0.

    Every chunk is fetched twice: `x` cannot be begun before the number of its rows is known. Raises OutOfRoom where the
    folder's disk has no room for the file, and what `fetch` raises.
    """
    heads = [(chunk.index, chunk.label) for chunk in _chunks(digests, fetch)]
    index = np.concatenate([np.zeros(0, np.int64), *(i for i, _ in heads)])  # (m,)
    label = np.concatenate([np.zeros(0, np.int64), *(y for _, y in heads)])  # (m,)
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - handed to the caller open
    with ZipFile(file, "w", ZIP_STORED) as archive:
        _write(archive, "index", index.shape, np.int64, [index])
        _write(archive, "x", (len(index), *shape), np.float32, (chunk.x for chunk in _chunks(digests, fetch)))
        _write(archive, "label", label.shape, np.int64, [label])
    file.seek(0)
    return file


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yields the file to its end; it is gone after that, or when the reader goes away."""
    with file:
        while block := file.read(BLOCK_BYTES):
            yield block


def size_of(file: IO[bytes]) -> int:
    """Counts the bytes of the file, and leaves it at its start."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size


def _chunks(digests: Iterable[str], fetch: Fetch) -> Iterator[Chunk]:
    for digest in digests:
        with np.load(io.BytesIO(fetch(digest)), allow_pickle=False) as stored:
            yield Chunk(index=stored["index"], x=stored["x"], label=stored["label"])


def _write(
    archive: ZipFile, name: str, shape: tuple[int, ...], dtype: type[np.generic], parts: Iterable[NDArray[np.generic]]
) -> None:
    """One member in numpy's .npy format, its rows part by part."""
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_2_0(member, header)
        for part in parts:
            member.write(np.ascontiguousarray(part, dtype).tobytes())
