"""Arrays out of an untrusted .npz: headers first, then block by block, in memory that does not grow with the upload.

Nothing a file says about itself is believed before it is checked: numpy's own reader evaluates the header, allocates
whatever shape stands there, and loads pickles; `zipfile` alone reads a directory of any length.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import Refused

BLOCK_BYTES = 1 << 20  # of numbers at once
MAX_READ_BYTES = 1 << 20  # of the file at once, whatever is asked for
MAX_MEMBERS = 8
MAX_RANK = 8
MAX_TOTAL_BYTES = 1 << 30  # of all arrays together, unpacked
# Unpacked bytes per byte of the upload. Deflate ends at 1032:1 (all zeros); a set of images that are 98 % blank stays
# under this. Small archives may be anything: sorted labels alone reach 1000:1.
MAX_RATIO = 500
FREE_BYTES = 1 << 20

MAX_HEADER = 10_240
HEADER_FIELDS = (r"'descr': *'([^']*)'", r"'fortran_order': *(True|False)", r"'shape': *\(([\d, ]*)\)")
NUMBERS = re.compile(r"[<>|=]?(f[248]|[iu][1248])")
LONGEST_TEXT = 64  # characters
TEXT = re.compile(r"[<>]U([1-9][0-9]?)")
BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True)
class ArchivedArray:
    """An archived array is as its header describes it: `shape` and `dtype` have been checked against its size."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    _start: int  # of the numbers in the member
    _archive: zipfile.ZipFile

    @property
    def size(self) -> int:
        return prod(self.shape)

    def blocks(self) -> Iterator[NDArray[Any]]:
        """Yield all numbers in the order of the file, in flat blocks of at most BLOCK_BYTES."""
        left = self.size * self.dtype.itemsize
        with _broken_is_refused(), self._archive.open(f"{self.name}.npy") as member:
            _read(member, self._start)
            most = max(1, BLOCK_BYTES // self.dtype.itemsize) * self.dtype.itemsize  # no label is cut
            while left:
                block = _read(member, min(left, most))
                left -= len(block)
                yield np.frombuffer(block, self.dtype)
            if member.read(1):  # also makes zipfile compare the checksum
                raise _unreadable(f"array {self.name} is longer than its header says")

    def take(self, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Read the given rows, (m, *shape[1:]), m >= 0, and stop behind the last of them."""
        wanted = self._positions(rows).ravel()
        order = np.argsort(wanted, kind="stable")
        wanted, taken, start = wanted[order], np.empty(len(wanted), self.dtype), 0
        blocks = self.blocks()
        while len(wanted) and start <= wanted[-1]:
            block = next(blocks)
            here = slice(*np.searchsorted(wanted, [start, start + len(block)]))
            taken[order[here]] = block[wanted[here] - start]
            start += len(block)
        return taken.reshape(len(rows), *self.shape[1:])

    def _positions(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(m, numbers in a row): where in the file the numbers of each row stand."""
        inner = np.arange(prod(self.shape[1:]), dtype=np.int64)
        if not self.fortran:
            return rows[:, None] * inner.size + inner
        inner = inner.reshape(self.shape[1:], order="F").ravel() * self.shape[0]  # the first axis runs fastest
        return rows[:, None] + inner


@contextmanager
def open_archive(
    file: IO[bytes], *, names: tuple[str, ...], texts: tuple[str, ...] = ()
) -> Iterator[dict[str, ArchivedArray]]:
    """Open the arrays of an .npz by name, all headers checked and no number read yet.

    Raises Refused(samples_unreadable) for everything but a plain .npz of number arrays with these names; those in
    `texts` may hold text of at most LONGEST_TEXT characters.
    """
    with _broken_is_refused():
        archive = zipfile.ZipFile(_Sparing(file))
    with archive:
        members = archive.infolist()
        _check_members(members, names, file.seek(0, 2))
        with _broken_is_refused():
            arrays = [_describe(archive, member, texts) for member in members]
        yield {array.name: array for array in arrays}


class _Sparing:
    """A file that never gives more than MAX_READ_BYTES at once: `zipfile` reads its directory in one piece."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > MAX_READ_BYTES:
            raise _unreadable("its directory is too long")
        return self._file.read(MAX_READ_BYTES if size < 0 else size)


def _check_members(members: list[zipfile.ZipInfo], names: tuple[str, ...], upload_bytes: int) -> None:
    most = max(MAX_MEMBERS, len(names))
    if len(members) > most:
        raise _unreadable(f"it has {len(members)} members, at most {most} are read")
    found = [member.filename.removesuffix(".npy") for member in members]
    if any(member.flag_bits & 1 for member in members):
        raise _unreadable("it is encrypted")
    if {member.filename for member in members} - {f"{name}.npy" for name in names}:
        raise _unreadable(f"it holds something else than the arrays {', '.join(names)}; leave the rest out")
    if len(set(found)) < len(found):
        raise _unreadable("an array is in it twice")
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise _unreadable("it is compressed by something else than deflate")
    total = sum(member.file_size for member in members)
    if total > MAX_TOTAL_BYTES:
        raise _unreadable(f"unpacked it is larger than {MAX_TOTAL_BYTES >> 20} MiB; upload it in parts")
    if total > max(FREE_BYTES, MAX_RATIO * upload_bytes):
        raise _unreadable(f"it unpacks to more than {MAX_RATIO} times its size; save it with np.savez, uncompressed")


def _describe(archive: zipfile.ZipFile, member: zipfile.ZipInfo, texts: tuple[str, ...]) -> ArchivedArray:
    name = member.filename.removesuffix(".npy")
    with archive.open(member) as file:
        head = _read(file, min(member.file_size, MAX_HEADER))
    text, start = _header(name, head)
    found = [re.search(field, text) for field in HEADER_FIELDS]
    descr, order, axes = (match[1] if match else "" for match in found)
    if not NUMBERS.fullmatch(descr) and not (name in texts and _is_short_text(descr)):
        text = (
            f" or text of at most {LONGEST_TEXT} characters (as {name}.astype(str) makes it)" if name in texts else ""
        )
        raise _unreadable(f"array {name} holds something else than plain numbers{text}; objects are never loaded")
    if not all(found) or not re.fullmatch(r"(\d{1,12}, *)*(\d{1,12})?", axes):
        raise _unreadable(f"the header of array {name} is not one that np.save writes")
    shape, dtype = tuple(int(axis) for axis in re.findall(r"\d+", axes)), np.dtype(descr)
    if len(shape) > MAX_RANK:
        raise _unreadable(f"array {name} has {len(shape)} axes, at most {MAX_RANK} are read")
    if start + prod(shape) * dtype.itemsize != member.file_size:
        raise _unreadable(f"array {name} is not as long as its header says")
    return ArchivedArray(name, shape, dtype, order == "True", start, archive)


def _is_short_text(descr: str) -> bool:
    found = TEXT.fullmatch(descr)
    return found is not None and int(found[1]) <= LONGEST_TEXT


def _header(name: str, head: bytes) -> tuple[str, int]:
    """(text of an .npy header, where the numbers start). Format versions 1 and 2; 3 exists for named fields only."""
    if head[:6] != b"\x93NUMPY" or len(head) < 12 or head[6] not in (1, 2):
        raise _unreadable(f"member {name} is no .npy array")
    layout = "<H" if head[6] == 1 else "<I"
    start = 8 + struct.calcsize(layout)
    end = start + struct.unpack_from(layout, head, 8)[0]
    if end > len(head):
        raise _unreadable(f"the header of array {name} is too long")
    return head[start:end].decode("latin1"), end


def _read(file: IO[bytes], size: int) -> bytes:
    """Exactly so many bytes, of which there are few."""
    data = file.read(size)
    if len(data) < size:
        raise _unreadable("it ends too early")
    return data


def _unreadable(reason: str) -> Refused:
    return Refused(f"This is no .npz that can be read: {reason}.", code="samples_unreadable")


@contextmanager
def _broken_is_refused() -> Iterator[None]:
    try:
        yield
    except BROKEN_ZIP as error:
        raise _unreadable("it is damaged or no zip file; write it with np.savez") from error
