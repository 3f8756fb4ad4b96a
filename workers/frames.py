"""The conversation between a supervisor and its runner, as bytes on two pipes.

    frame = size of the header (4 bytes, big endian) | header (JSON) | blobs, one after another
    header = {"kind": ..., "fields": {...}, "blobs": [[name, bytes], ...]}

What the frames say is in `messages.py` and, for what belongs to one kind of work, in that kind's file. In short:

    supervisor -> runner
      open       a model, by its card and bytes; once for each model
      run.begin  what all chunks of a job have in common: method, threat, budget, seed, pool, artifact; once a job
      run        the rows of a chunk
      prepare    auxiliary samples
      query      rows that a substitute is to learn from
      imitate    such rows with their answers
      aim        samples whose targets a rule chooses
      inspect    an upload, by its card and bytes
      cancel     any time; what has been found is kept
      granted    seconds until the turns asked for may be used
    runner -> supervisor
      ready      libraries imported, no model yet
      progress   at most once a second
      turns      may an endpoint be called so often?
      opened, run.begun, run.done, prepare.done, query.done, imitate.done, aim.done, inspect.done   the answers
      run.broken  the model failed, and some samples were over by then
      refused    the model cannot be accepted; says why
      fault      the model or our code failed; the runner may go on

`arrays` describes the blobs that are arrays: {name: [dtype, shape]}; their bytes are raw, so no parser stands between
an uploaded model that took over the runner and the supervisor. There is no pickle, no npy header and no compression.
Both sides say how many bytes they are ready to read.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAX_HEADER = 1 << 20
DTYPES = ("<f4", "<i8")
_SIZE = struct.Struct(">I")


class FrameError(Exception):
    """The other side does not keep to the protocol, or went away in the middle of a frame."""


@dataclass(frozen=True)
class Frame:
    kind: str
    fields: dict[str, Any] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The blobs that `arrays` describes, as arrays. Raises FrameError."""
        described = self.fields.get("arrays", {})
        if not isinstance(described, dict):
            raise FrameError("the arrays of a frame are not described in a known way")
        return {name: self._array(name, description) for name, description in described.items() if name in self.blobs}

    def _array(self, name: str, description: Any) -> NDArray[Any]:
        try:
            dtype, shape = description
            if dtype not in DTYPES or not all(isinstance(n, int) and n >= 0 for n in shape):
                raise FrameError(f"array {name!r} is not described in a known way")
            return np.frombuffer(self.blobs[name], dtype=dtype).reshape(shape)
        except (TypeError, ValueError) as error:
            raise FrameError(f"array {name!r} and its description differ") from error


def with_arrays(kind: str, arrays: Mapping[str, NDArray[Any]], **fields: Any) -> Frame:
    """A frame that carries arrays as little-endian float32, or int64 where they are integers."""
    blobs: dict[str, bytes] = {}
    described: dict[str, tuple[str, tuple[int, ...]]] = {}
    for name, array in arrays.items():
        dtype = "<i8" if np.issubdtype(array.dtype, np.integer) else "<f4"
        blobs[name] = np.ascontiguousarray(array, dtype=dtype).tobytes()
        described[name] = (dtype, array.shape)
    return Frame(kind, {**fields, "arrays": described}, blobs)


def write(stream: BinaryIO, frame: Frame) -> None:
    """Raises FrameError where the header is too large, OSError where nobody reads any more."""
    sizes = [(name, len(blob)) for name, blob in frame.blobs.items()]
    header = json.dumps({"kind": frame.kind, "fields": frame.fields, "blobs": sizes}).encode()
    if len(header) > MAX_HEADER:
        raise FrameError("the header of a frame is too large")
    stream.write(_SIZE.pack(len(header)) + header)
    for blob in frame.blobs.values():
        stream.write(blob)
    stream.flush()


def read(stream: BinaryIO, limit: int) -> Frame | None:
    """Reads the next frame, its blobs together at most `limit` bytes; None: the pipe has ended. Raises FrameError."""
    start = stream.read(_SIZE.size)
    if not start:
        return None
    if len(start) < _SIZE.size:
        raise FrameError("the pipe ended inside a frame")
    kind, fields, sizes = _parse(_exactly(stream, _header_size(start)))
    if sum(size for _, size in sizes) > limit:
        raise FrameError("a frame is larger than its reader allows")
    return Frame(kind, fields, {name: _exactly(stream, size) for name, size in sizes})


def _header_size(start: bytes) -> int:
    (size,) = _SIZE.unpack(start)
    if size > MAX_HEADER:
        raise FrameError("the header of a frame is too large")
    return int(size)


def _parse(header: bytes) -> tuple[str, dict[str, Any], list[tuple[str, int]]]:
    try:
        content = json.loads(header)
        kind, fields, sizes = content["kind"], content["fields"], [(name, size) for name, size in content["blobs"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FrameError("the header of a frame cannot be read") from error
    well_formed = isinstance(kind, str) and isinstance(fields, dict)
    if not well_formed or not all(isinstance(name, str) and type(size) is int and size >= 0 for name, size in sizes):
        raise FrameError("the header of a frame is not what this protocol writes")
    return kind, fields, sizes


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise FrameError("the pipe ended inside a frame")
    return data
