"""What earlier phases of an audit found, as a job of a later one is given it: a file in the library, by its digest."""

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Rows
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from models.record import Record

POINT_BYTES = 64 << 20  # 111 images of 224 x 224 x 3: whoever makes or reads the file has it in memory


class GivenHints(Record):
    """A job was given these hints: the SHA-256 of their file, and of how many samples it knows what."""

    digest: str
    points: int  # samples with a point that another class begins at
    reached: int  # samples with a distance at which they break
    proven: int  # samples with a radius within which nothing breaks them


def most_points(shape: tuple[int, ...]) -> int:
    """Counts the points that a file of hints may hold; of further samples it tells the distances only."""
    return max(1, POINT_BYTES // (4 * math.prod(shape)))


def packed(hints: Mapping[int, Hint], shape: tuple[int, ...]) -> bytes:
    """Writes {row of the upload: hint} as an npz; the same hints give the same bytes, in whatever order they came."""
    rows = sorted(hints)
    known = [hints[row] for row in rows]
    at = [i for i, hint in enumerate(known) if hint.point is not None]
    file = io.BytesIO()
    np.savez(
        file,
        index=np.array(rows, np.int64),
        reached=np.array([hint.reached for hint in known], np.float32),
        proven=np.array([hint.proven for hint in known], np.float32),
        at=np.array(at, np.int64),
        x=np.array([known[i].point for i in at], np.float32).reshape(len(at), *shape),
    )
    return file.getvalue()


def unpacked(data: bytes, indices: Sequence[int]) -> tuple[Hint, ...]:
    """Reads the hints about these rows of the upload; of rows that the file does not know, nothing."""
    with np.load(io.BytesIO(data), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    place = {row: i for i, row in enumerate(arrays["index"].tolist())}
    point = dict(zip(arrays["at"].tolist(), arrays["x"], strict=True))
    return tuple(
        Hint(point.get(place[row]), float(arrays["reached"][place[row]]), float(arrays["proven"][place[row]]))
        if row in place
        else NOTHING_KNOWN
        for row in indices
    )


def as_arrays(hints: Sequence[Hint], shape: tuple[int, ...]) -> tuple[Rows, NDArray[np.float32], NDArray[np.float32]]:
    """Writes points (n, *shape), not a number where there is none, distances (n,) and radii (n,). See `from_arrays`."""
    nowhere = np.full(shape, np.nan, np.float32)
    points = np.array([nowhere if hint.point is None else hint.point for hint in hints], np.float32)
    reached, proven = ([getattr(hint, name) for hint in hints] for name in ("reached", "proven"))
    return points.reshape(len(hints), *shape), np.array(reached, np.float32), np.array(proven, np.float32)


def from_arrays(points: Rows, reached: NDArray[np.float32], proven: NDArray[np.float32]) -> tuple[Hint, ...]:
    """Reads what `as_arrays` wrote. A point that is no number is dropped by whoever runs a method (`Hint.about`)."""
    return tuple(Hint(x, float(far), float(near)) for x, far, near in zip(points, reached, proven, strict=True))
